"""Names of months and weekdays in European languages, and abbreviations of time zones."""

from __future__ import annotations

from functools import cache

# ruff: noqa: RUF001 - letters of other languages
# Full names by language, after the Unicode CLDR; several forms of a name are separated by a slash.
MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar/Jänner Februar/Feber März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre/setiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "sv": "januari februari mars april maj juni juli augusti september oktober november december",
    "da": "januar februar marts april maj juni juli august september oktober november december",
    "nb": "januar februar mars april mai juni juli august september oktober november desember",
    "fi": "tammikuu/tammikuuta helmikuu/helmikuuta maaliskuu/maaliskuuta huhtikuu/huhtikuuta toukokuu/toukokuuta "
    "kesäkuu/kesäkuuta heinäkuu/heinäkuuta elokuu/elokuuta syyskuu/syyskuuta lokakuu/lokakuuta marraskuu/marraskuuta "
    "joulukuu/joulukuuta",
    "pl": "styczeń/stycznia luty/lutego marzec/marca kwiecień/kwietnia maj/maja czerwiec/czerwca lipiec/lipca "
    "sierpień/sierpnia wrzesień/września październik/października listopad/listopada grudzień/grudnia",
    "cs": "leden/ledna únor/února březen/března duben/dubna květen/května červen/června červenec/července srpen/srpna "
    "září říjen/října listopad/listopadu prosinec/prosince",
    "tr": "Ocak Şubat Mart Nisan Mayıs Haziran Temmuz Ağustos Eylül Ekim Kasım Aralık",
    "ru": "январь/января февраль/февраля март/марта апрель/апреля май/мая июнь/июня июль/июля август/августа "
    "сентябрь/сентября октябрь/октября ноябрь/ноября декабрь/декабря",
}
SHORT_MONTHS = {
    "en": "Jan Feb Mar Apr May Jun Jul Aug Sep/Sept Oct Nov Dec",
    "de": "Jan/Jän Feb Mär/Mrz Apr Mai Jun Jul Aug Sep/Sept Okt Nov Dez",
    "fr": "janv/jan févr/fév mars avr mai juin juil août sept oct nov déc",
    "es": "ene feb mar abr may jun jul ago sep/sept/set oct nov dic",
    "it": "gen feb mar apr mag giu lug ago set ott nov dic",
    "pt": "jan fev mar abr mai jun jul ago set out nov dez",
    "nl": "jan feb mrt apr mei jun jul aug sep okt nov dec",
    "sv": "jan feb mar/mars apr maj jun/juni jul/juli aug sep okt nov dec",
    "da": "jan feb mar apr maj jun jul aug sep okt nov dec",
    "nb": "jan feb mar/mars apr mai jun/juni jul/juli aug sep okt nov des",
    "fi": "tammi helmi maalis huhti touko kesä heinä elo syys loka marras joulu",
    "pl": "sty lut mar kwi maj cze lip sie wrz paź lis gru",
    "cs": "led úno bře dub kvě čvn čvc srp zář říj lis pro",
    "tr": "Oca Şub Mar Nis May Haz Tem Ağu Eyl Eki Kas Ara",
    "ru": "янв фев/февр мар апр май июн июл авг сен/сент окт ноя/нояб дек",
}
WEEKDAYS = {
    "en": "Monday/Mon Tuesday/Tue/Tues Wednesday/Wed Thursday/Thu/Thur/Thurs Friday/Fri Saturday/Sat Sunday/Sun",
    "de": "Montag/Mo Dienstag/Di Mittwoch/Mi Donnerstag/Do Freitag/Fr Samstag/Sonnabend/Sa Sonntag/So",
    "fr": "lundi/lun mardi/mar mercredi/mer jeudi/jeu vendredi/ven samedi/sam dimanche/dim",
    "es": "lunes/lun martes/mar miércoles/mié jueves/jue viernes/vie sábado/sáb domingo/dom",
    "it": "lunedì/lun martedì/mar mercoledì/mer giovedì/gio venerdì/ven sabato/sab domenica/dom",
    "pt": "segunda/seg terça/ter quarta/qua quinta/qui sexta/sex sábado/sáb domingo/dom",
    "nl": "maandag/ma dinsdag/di woensdag/wo donderdag/do vrijdag/vr zaterdag/za zondag/zo",
    "sv": "måndag/mån tisdag/tis onsdag/ons torsdag/tors fredag/fre lördag/lör söndag/sön",
    "da": "mandag/man tirsdag/tir onsdag/ons torsdag/tor fredag/fre lørdag/lør søndag/søn",
    "pl": "poniedziałek/pon wtorek/wt środa/śr czwartek/czw piątek/pt sobota/sob niedziela/niedz",
}
ZONES = {  # minutes east of Greenwich
    "z": 0, "utc": 0, "gmt": 0, "wet": 0, "west": 60, "bst": 60, "cet": 60, "cest": 120, "mez": 60, "mesz": 120,
    "eet": 120, "eest": 180, "msk": 180, "est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420, "mdt": -360,
    "pst": -480, "pdt": -420, "akst": -540, "akdt": -480, "hst": -600, "brt": -180, "jst": 540, "kst": 540,
    "aest": 600, "aedt": 660, "acst": 570, "awst": 480, "nzst": 720, "nzdt": 780, "sgt": 480, "hkt": 480,
}  # fmt: skip


@cache
def month_numbers() -> dict[str, int]:
    """The month that each name stands for, by its lower case."""
    return _numbers(MONTHS, 1) | _numbers(SHORT_MONTHS, 1)


@cache
def weekday_numbers() -> dict[str, int]:
    """The weekday that each name stands for, by its lower case; Monday is 0."""
    return _numbers(WEEKDAYS, 0)


def _numbers(languages: dict[str, str], first: int) -> dict[str, int]:
    return {
        form.lower(): number
        for names in languages.values()
        for number, name in enumerate(names.split(), first)
        for form in name.split("/")
    }


def completed(seen: dict[int, str], languages: dict[str, str], first: int) -> tuple[str, ...]:
    """A name for each month or weekday: the seen ones, and the others from the language that has most of these.

    Args:
        seen: names in the data by number.
        languages: names by language.
        first: smallest number.
    """
    if not seen:
        return ()
    tables = [[name.split("/") for name in names.split()] for names in languages.values()]

    def known(table: list[list[str]]) -> int:
        return sum(name.lower() in (form.lower() for form in table[i - first]) for i, name in seen.items())

    best = max(tables, key=known)
    style = str.upper if all(name.isupper() for name in seen.values()) else str.lower
    if any(name[:1].isupper() and not name.isupper() for name in seen.values()):
        style = str.capitalize
    forms = [table_index(best[i - first], name) for i, name in seen.items()]
    place = max(set(forms), key=forms.count)
    return tuple(seen.get(i, style(_form(best[i - first], place))) for i in range(first, first + len(best)))


def table_index(forms: list[str], name: str) -> int:
    """Index of a name among its forms; 0 if it is none of them."""
    lower = [form.lower() for form in forms]
    return lower.index(name.lower()) if name.lower() in lower else 0


def _form(forms: list[str], place: int) -> str:
    return forms[min(place, len(forms) - 1)]
