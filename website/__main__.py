"""Builds the site from the Markdown of the repository.

    python -m website [FOLDER]

Writes the sources of the site to FOLDER/sources, and the site to FOLDER/site (FOLDER: build/docs unless given). Stops
if a page is not in the navigation, or if a link, an anchor or a picture does not exist.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from website import navigation
from website.gallery import add_gallery
from website.links import dead
from website.notebooks import add_notebooks
from website.pages import ROOT, DeadLink, Site
from website.reference import add_api, add_commands

HERE = Path(__file__).parent
WORDS = {
    "en": {
        "description": "Trains, evaluates, explores and deploys generative adversarial networks for any kind of data",
        "light": "Switch to light mode",
        "dark": "Switch to dark mode",
        "system": "Switch to system preference",
        "anchor": "Link to this section",
    },
    "zh": {
        "description": "用任意类型的数据训练、评估、探索和部署生成对抗网络",
        "light": "切换到浅色模式",
        "dark": "切换到深色模式",
        "system": "跟随系统",
        "anchor": "本节链接",
    },
}


def gather(sources: Path) -> tuple[list[navigation.Entry], Site]:
    """Write the pages of both languages. Returns the navigation of the English ones, and what was written."""
    site = Site(sources)
    for path in sorted((ROOT / "docs").rglob("*")):
        name = path.relative_to(ROOT).as_posix()
        if path.suffix == ".md":
            site.add(name)
        elif path.is_file() and path.suffix != ".json":  # pictures, sounds; JSON is what tables were written from
            site.copy(name)
    for name in ("README.md", "README.zh.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"):
        site.add(name)
    notebooks, commands, api = add_notebooks(site), add_commands(site), add_api(site)
    add_gallery(site)
    recipes = ["recipes/index.md", *sorted(page for page in site.written if page.startswith("recipes/"))]
    entries = navigation.english(notebooks, commands, list(dict.fromkeys(recipes)), api)
    site.check_listed(navigation.pages(entries), navigation.pages(navigation.CHINESE))
    site.add_sources()
    return entries, site


def generate(folder: Path, language: str, nav: str, address: str) -> Path:
    """Run the generator in a folder that has the pages of one language. Returns the folder that it writes."""
    words = {**WORDS[language], "language": language, "nav": nav, "url": address, "root": address.removesuffix("zh/")}
    settings = (HERE / "zensical.toml").read_text(encoding="utf-8")
    for name, value in words.items():
        settings = settings.replace(f"<{name}>", value)
    (folder / "zensical.toml").write_text(settings, encoding="utf-8")
    shutil.copytree(HERE / "theme", folder / "pages" / "theme")
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise DeadLink(done.stdout.partition("Traceback")[0])
    return folder / "built"


def build(folder: Path, address: str = "/") -> Path:
    """Build the site. Returns its folder.

    Args:
        folder: for the sources and the site; what they held before is removed.
        address: that the site is published at, such as "https://example.org/sparring/".

    Raises:
        DeadLink: if a page links to something that does not exist, or is not in the navigation.
        subprocess.CalledProcessError: if the generator finds fault with a page.
    """
    sources, site = folder / "sources", folder / "site"
    for old in (sources, site):
        shutil.rmtree(old, ignore_errors=True)
    english, chinese = sources / "en", sources / "zh"
    entries, _ = gather(english / "pages")
    chinese.mkdir()
    (english / "pages" / "zh").rename(chinese / "pages")
    generate(english, "en", navigation.toml(entries), address).rename(site)
    generate(chinese, "zh", navigation.toml(navigation.CHINESE), f"{address}zh/").rename(site / "zh")
    broken = dead(site)
    if broken:
        raise DeadLink("links that lead nowhere:\n" + "\n".join(broken))
    return site


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("build/docs"))
    parser.add_argument("--address", default="/", help="that the site is published at, with a slash at its end")
    arguments = parser.parse_args()
    try:
        site = build(arguments.folder.resolve(), arguments.address)
    except (DeadLink, subprocess.CalledProcessError) as error:
        raise SystemExit(f"website: {error}") from None
    print(f"the site is {site}/index.html")


if __name__ == "__main__":
    main()
