"""Dates of series: their order, hours that come twice, gaps, calendars that samples continue, and layouts of files."""

import numpy as np
import pandas as pd
import pytest

from sparring.data import Items
from sparring.errors import InputError
from sparring.modalities import Samples, Series, find
from sparring.modalities.series.calendar import fit_calendar
from sparring.modalities.series.reading import steps

N = 300


def price(n=N, seed=0):
    return (50 * np.exp(np.random.default_rng(seed).normal(0, 0.01, n).cumsum())).round(2)


def written(path, **columns):
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


def days(n=N):
    return pd.bdate_range("2020-01-01", periods=n)


def notes(items, window=16, **fields):
    series = Series(window=window, **fields).fit(items)
    return series, " | ".join((*items.notes, *series.encode(items).notes))


@pytest.mark.parametrize("step", [15, 30, 60])
def test_an_hour_that_comes_twice_is_a_series(step, tmp_path):
    clock = pd.date_range("2023-10-26", "2023-11-05", freq=f"{step}min", tz="Europe/Helsinki", inclusive="left")
    local = clock.tz_localize(None).strftime("%Y-%m-%d %H:%M")
    items = find(written(tmp_path / "spot.csv", hour=local, price=price(len(clock))))
    assert items.kind == "series"
    series, told = notes(items)
    assert "the hour from 2023-10-29 03:00 comes twice, at the end of summer time; both are steps" in told
    assert len(series.values(items)) == len(clock)
    assert series.values(items)[:, 0] == pytest.approx(price(len(clock)))
    assert series.frame(np.ones((1, 2, 1)))["hour"][0] == pd.Timestamp("2023-11-05")


def test_several_clock_changes_and_an_hour_that_is_missing(tmp_path):
    clock = pd.date_range("2021-11-01", "2022-11-15", freq="h", tz="America/New_York", inclusive="left")
    local = clock.tz_localize(None)
    items = find(written(tmp_path / "load.csv", hour=local, load=price(len(clock))))
    _, told = notes(items)
    assert "the hour from 2021-11-07 01:00 and 1 more comes twice" in told
    assert "dates have a gap from 2022-03-13 01:00:00" in told


def test_the_newest_rows_may_come_first(tmp_path):
    items = find(written(tmp_path / "p.csv", day=days()[::-1], close=price()[::-1]))
    series, told = notes(items)
    assert "the newest rows come first; they are read from the last to the first" in told
    assert series.channels[0].last == price()[-1]
    assert series.end == days()[-1].isoformat()


def test_the_newest_rows_of_a_local_clock_may_come_first(tmp_path):
    clock = pd.date_range("2023-10-20", "2023-11-05", freq="h", tz="Europe/Paris", inclusive="left")
    file = written(tmp_path / "p.csv", hour=clock.tz_localize(None)[::-1], price=price(len(clock))[::-1])
    series, told = notes(find(file))
    assert "read from the last to the first" in told
    assert "comes twice" in told
    assert series.values(find(file))[:, 0] == pytest.approx(price(len(clock)))


def test_dates_that_come_twice():
    frame = pd.DataFrame({"day": days(), "close": price()})
    again = pd.concat([frame.iloc[:100], frame.iloc[99:]])
    values, dates, told = steps(Items("p", "rows", again))
    assert len(values) == len(dates) == N
    assert "1 row has the date and the values of another one; each is kept once" in told
    corrected = pd.concat([frame.iloc[:100], frame.iloc[99:100].assign(close=99.0), frame.iloc[100:]])
    values, _, told = steps(Items("p", "rows", corrected))
    assert values["close"][99] == 99
    assert "1 row has the date of another one, first 2020-05-19 00:00:00; the last one is kept" in told
    with pytest.raises(InputError, match="'p' has the date 2020-01-01 00:00:00 twice, with other values"):
        steps(Items("p", "rows", pd.concat([frame, frame.assign(close=1.0)])))


def test_rows_in_no_order_are_sorted_and_a_few_without_a_date_left_out():
    frame = pd.DataFrame({"day": days(), "close": price()})
    values, _, told = steps(Items("p", "rows", frame.sample(frac=1, random_state=0)))
    assert "rows are sorted by date" in told
    assert values["close"].tolist() == price().tolist()
    frame.loc[[3, 9], "day"] = None
    values, _, told = steps(Items("p", "rows", frame))
    assert len(values) == N - 2
    assert "2 rows have no date and are left out" in told


def test_gaps_are_said():
    kept = np.r_[0:100, 130:N]
    items = Items("p", "series", pd.DataFrame({"day": days()[kept], "close": price()[kept]}))
    assert "dates have a gap from 2020-05-19 00:00:00 to 2020-07-01 00:00:00" in notes(items)[1]
    hours = pd.date_range("2020-01-01", periods=N, freq="h").delete([50, 51, 80])
    items = Items("p", "series", pd.DataFrame({"hour": hours, "x": price(N - 3)}))
    assert "dates have 2 gaps, the longest from 2020-01-03 01:00:00 to 2020-01-03 04:00:00" in notes(items)[1]
    assert "gap" not in notes(Items("p", "series", pd.DataFrame({"day": days(), "close": price()})))[1]


def sessions(per_weekday, start="2024-03-04", weeks=3, step="5min"):
    """Dates of weeks, in the hours of each weekday."""
    found = []
    for day in pd.date_range(start, periods=7 * weeks):
        for first, last in per_weekday.get(day.day_of_week, ()):
            found += list(pd.date_range(f"{day:%Y-%m-%d} {first}", f"{day:%Y-%m-%d} {last}", freq=step))
    return pd.Series(found)


CALENDARS = {
    "trading hours": (sessions({day: [("09:30", "15:55")] for day in range(5)}), 78 * 5),
    "a break at noon": (sessions({day: [("09:00", "11:25"), ("12:30", "14:55")] for day in range(5)}), 60 * 5),
    "currencies from Sunday to Friday": (
        sessions({6: [("17:00", "23:45")], **{day: [("00:00", "23:45")] for day in range(4)}, 4: [("00:00", "16:45")]},
                 step="15min"),
        480,
    ),
    "round the clock": (pd.Series(pd.date_range("2024-01-01", periods=500, freq="h")), 100),
    "seconds": (pd.Series(pd.date_range("2024-01-01", periods=500, freq="s")), 100),
    "business days": (pd.Series(pd.bdate_range("2024-01-01", periods=100)), 30),
    "business days at noon": (pd.Series(pd.bdate_range("2024-01-01", periods=100) + pd.Timedelta(hours=12)), 30),
    "Sunday to Thursday": (sessions({day: [("00:00", "00:00")] for day in (6, 0, 1, 2, 3)}, weeks=20), 30),
    "all days": (pd.Series(pd.date_range("2024-01-01", periods=100)), 30),
    "Fridays": (pd.Series(pd.date_range("2024-01-05", periods=80, freq="W-FRI")), 20),
    "every second week": (pd.Series(pd.date_range("2024-01-05", periods=80, freq="14D")), 20),
    "first days of months": (pd.Series(pd.date_range("2000-01-01", periods=80, freq="MS")), 20),
    "last days of months": (pd.Series(pd.date_range("2000-01-01", periods=80, freq="ME")), 20),
    "last business days of months": (pd.Series(pd.date_range("2000-01-01", periods=80, freq="BME")), 20),
    "the fifteenth": (pd.Series([pd.Timestamp("2000-01-15") + pd.DateOffset(months=i) for i in range(80)]), 20),
    "quarters": (pd.Series(pd.date_range("1990-01-01", periods=80, freq="QS")), 20),
    "ends of quarters": (pd.Series(pd.date_range("1990-01-01", periods=80, freq="QE")), 20),
    "years": (pd.Series(pd.date_range("1900-01-01", periods=80, freq="YS")), 10),
}  # fmt: skip


@pytest.mark.parametrize("name", CALENDARS)
def test_a_calendar_goes_on_as_it_was(name):
    """The last dates are those that a calendar of the earlier ones gives."""
    dates, later = CALENDARS[name]
    calendar = fit_calendar(dates.iloc[:-later])
    assert calendar.after(dates.iloc[-later - 1], later).tolist() == dates.iloc[-later:].tolist()
    assert calendar.described().startswith("samples continue the dates: ")


def test_a_calendar_of_a_few_missing_dates():
    random = np.random.default_rng(0)
    for name, (dates, later) in CALENDARS.items():
        if len(dates) - later < 60 or name == "currencies from Sunday to Friday":
            continue
        known = dates.iloc[:-later]
        missing = random.choice(np.arange(1, len(known) - 5), max(1, len(known) // 50), replace=False)
        calendar = fit_calendar(known.drop(known.index[missing]))
        assert calendar.after(known.iloc[-1], 10).tolist() == dates.iloc[-later:].tolist()[:10], name


def test_the_last_business_day_before_a_holiday():
    ends = pd.Series(pd.date_range("2020-01-01", periods=40, freq="BME"))
    ends.iloc[-1] -= pd.Timedelta(days=1)
    ends.iloc[9] -= pd.Timedelta(days=1)
    after = fit_calendar(ends).after(ends.iloc[-1], 2)
    assert after.tolist() == pd.date_range("2023-05-01", periods=2, freq="BME").tolist()


def test_irregular_dates_have_no_calendar(tmp_path):
    moments = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.random.default_rng(0).integers(1, 9e5, N).cumsum(), "ms")
    series, told = notes(find(written(tmp_path / "ticks.csv", time=moments, price=price())))
    assert "dates are irregular; samples have numbers of steps instead" in told
    assert series.frame(np.ones((2, 3, 1)))["step"].tolist() == [1, 2, 3, 1, 2, 3]


def test_trading_hours_of_a_zone_go_on_through_a_clock_change(tmp_path):
    clock = pd.DatetimeIndex(CALENDARS["trading hours"][0]).tz_localize("America/New_York")
    file = written(tmp_path / "bars.csv", Datetime=clock.strftime("%Y-%m-%d %H:%M:%S%z"), Close=price(len(clock)))
    series, told = notes(find(file))
    assert "every 5min, Monday to Friday 09:30-15:55" in told
    assert "gap" not in told
    some = clock.delete([100, 101, 102])
    missing = pd.DataFrame({"t": some, "Close": price(len(some))})
    assert "dates have a gap from 2024-03-05 11:15:00 to 2024-03-05 11:35:00" in notes(Items("f", "series", missing))[1]
    Samples(np.ones((2, 100, 1)), None, series).save(tmp_path / "paths.csv")
    made = pd.to_datetime(pd.read_csv(tmp_path / "paths.csv")["Datetime"], utc=True).dt.tz_convert("America/New_York")
    assert made.dt.strftime("%H:%M").between("09:30", "15:55").all()
    assert str(made.iloc[0]) == "2024-03-25 09:30:00-04:00"
    frame = pd.DataFrame({"t": clock, "Close": price(len(clock))})
    known = Series(window=16).fit(Items("f", "series", frame))
    assert known.zone == "America/New_York"
    assert str(known.dates(1)[0]) == "2024-03-25 13:30:00+00:00"


def test_days_and_times_in_two_columns(tmp_path):
    dates = CALENDARS["trading hours"][0]
    file = written(
        tmp_path / "bars.csv",
        Date=dates.dt.strftime("%Y.%m.%d"),
        Time=dates.dt.strftime("%H:%M"),
        Close=price(len(dates)),
    )
    items = find(file)
    series, told = notes(items)
    assert "columns 'Date' and 'Time' are read together as dates" in told
    assert series.names == ["Close"]
    assert series.dates(1)[0] == pd.Timestamp("2024-03-25 09:30")


def test_three_lines_of_header_and_a_ticker(tmp_path):
    lines = ["Price,Close,High,Low,Volume", "Ticker,ABC,ABC,ABC,ABC", "Date,,,,"]
    lines += [
        f"{d:%Y-%m-%d},{p},{p + 1:.2f},{p - 1:.2f},{i + 1000}"
        for i, (d, p) in enumerate(zip(days(), price(), strict=True))
    ]
    (tmp_path / "abc.csv").write_text("\n".join(lines) + "\n")
    items = find(tmp_path / "abc.csv")
    assert items.kind == "series"
    series, _ = notes(items)
    assert len(series.names) == 4
    assert len(series.values(items)) == N
    assert series.dates(1)[0] == pd.bdate_range(days()[-1], periods=2)[1]


def test_a_download_with_words_and_signs(tmp_path):
    close = price()
    frame = pd.DataFrame({
        "Date": days().strftime("%b %d, %Y"), "Price": [f"{c + 1000:,.2f}" for c in close],
        "Vol.": [f"{10 + i / 7:.2f}K" for i in range(N)], "Change %": ["0.00%", *(f"{x:.2f}%" for x in np.diff(close))],
    })  # fmt: skip
    frame.iloc[::-1].to_csv(tmp_path / "shares.csv", index=False, quoting=1)
    items = find(tmp_path / "shares.csv")
    assert items.kind == "series"
    series, _ = notes(items)
    assert series.channels[series.names.index("Price")].last == pytest.approx(close[-1] + 1000)
    Samples(np.ones((1, 2, 3)), None, series).save(tmp_path / "p.csv")
    assert pd.read_csv(tmp_path / "p.csv")["Date"][0] == pd.bdate_range(days()[-1], periods=2)[1].strftime("%b %d, %Y")


def test_words_that_are_always_the_same_are_left_out(tmp_path):
    items = find(written(tmp_path / "p.csv", Date=days(), Symbol="ABC", Close=price(), Note=None))
    assert items.kind == "series"
    assert "left out, because they are not numbers: Symbol" in notes(items)[1]


@pytest.mark.parametrize("order", [["date", "Name"], ["Name", "date"]])
def test_several_shares_below_one_another(order, tmp_path):
    parts = [
        pd.DataFrame({"date": pd.bdate_range(end="2023-12-29", periods=n), "close": price(n, seed), "Name": name})
        for seed, (name, n) in enumerate((("AAA", 200), ("BBB", 180), ("CCC", 150)))
    ]
    pd.concat(parts).sort_values(order).to_csv(tmp_path / "all.csv", index=False)
    items = find(tmp_path / "all.csv")
    assert items.kind == "series"
    series, told = notes(items)
    assert "3 series, told apart by 'Name', lie below one another; they are learned side by side" in told
    assert series.names == ["AAA close", "BBB close", "CCC close"]
    assert "50 of 200 steps have a missing value" in told
    assert series.values(items)[-1] == pytest.approx([price(200, 0)[-1], price(180, 1)[-1], price(150, 2)[-1]])
    assert len(Series(window=16, wanted=("AAA",)).fit(items).values(items)) == 200


def test_events_with_a_date_and_a_word_stay_rows(tmp_path):
    random = np.random.default_rng(0)
    dates = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.sort(random.integers(0, 400, N)), "D")
    file = written(
        tmp_path / "orders.csv", date=dates, city=random.choice(list("abcdefgh"), N), amount=random.normal(size=N)
    )
    assert find(file).kind == "rows"
    with pytest.raises(InputError, match="'city' tells several series apart, give each as a file of a folder"):
        Series(window=16).fit(find(file))


def test_the_pattern_of_dates_can_be_given(tmp_path):
    quarters = pd.date_range("2020-01-01", periods=N, freq="6h")
    file = written(tmp_path / "logger.csv", time=quarters.strftime("%m/%d/%y %I:%M:%S %p"), level=price())
    _, told = notes(find(file))
    assert "%m/%d/%y %I:%M:%S %p" in told
    few = written(tmp_path / "few.csv", day=pd.date_range("2020-01-01", periods=12).strftime("%m/%d/%Y"), x=price(12))
    monthly = Series(window=4, patterns=("day=%d/%m/%Y",)).fit(find(few))
    assert monthly.dates(2).strftime("%d/%m/%Y").tolist() == ["01/01/2021", "01/02/2021"]
    assert Series(window=4, patterns=("day=%m/%d/%Y",)).fit(find(few)).dates(1)[0] == pd.Timestamp("2020-01-13")


@pytest.mark.parametrize(
    ("pattern", "message"),
    [("day=%Y", "is not written so"), ("x=%Y", "holds no dates as text"), ("day", "is no pattern of dates")],
)
def test_patterns_that_dates_do_not_have(pattern, message, tmp_path):
    items = find(written(tmp_path / "p.csv", day=days(), x=price()))
    with pytest.raises(InputError, match=message):
        Series(window=16, patterns=(pattern,)).fit(items)


def test_a_short_series_can_be_checked(tmp_path):
    items = find(written(tmp_path / "few.csv", day=days(40), close=price(40)))
    survey = Series.survey(items, "few.csv")
    assert survey.notes[-1] == "40 steps are few: train with window=10"
    assert Series(window=10).fit(items).window == 10


@pytest.mark.parametrize(("unit", "factor"), [("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)])
def test_moments_since_1970_are_dates(unit, factor, tmp_path):
    hours = pd.date_range("2023-03-01", periods=N, freq="h").as_unit(unit).astype(np.int64)
    items = find(written(tmp_path / "bars.csv", ts=hours, close=price()))
    series, told = notes(items)
    assert "since 1970" in told
    made = series._as_text(Samples(np.ones((1, 2, 1)), None, series))["ts"]
    assert [int(text) for text in made] == [hours[-1] + 3600 * factor, hours[-1] + 7200 * factor]


@pytest.mark.parametrize("code", [-9999, -99, 999, 99999])
def test_codes_of_missing_measurements_are_missing(code, tmp_path):
    level = np.random.default_rng(0).normal(20, 5, N).round(1)
    level[::30] = code
    series, told = notes(find(written(tmp_path / "w.csv", day=days(), level=level)))
    assert f"taken as missing, far from all other values: {code} in level" in told
    assert "10 of 300 steps have a missing value" in told
    assert abs(series.channels[0].high) < 100


def test_high_values_are_no_codes(tmp_path):
    level = np.random.default_rng(0).normal(60, 25, N).round().clip(0, 99)
    _, told = notes(find(written(tmp_path / "w.csv", day=days(), level=level)))
    assert "taken as missing" not in told


def test_a_last_date_that_is_none_is_refused():
    """As in the file of a damaged model."""
    with pytest.raises(InputError, match="end=soon is not a date"):
        Series(end="soon")
