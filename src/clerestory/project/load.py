"""Loads a project folder: reads every file, checks them all together, lists all problems at once."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from clerestory.errors import InputError
from clerestory.policy import CALHHS_DDG_2_0, Dominance, Policy, PriorPosterior, Tightening, policy_for
from clerestory.project.check_methods import check_methods
from clerestory.project.check_pages import check_pages
from clerestory.project.check_sources import check_source
from clerestory.project.check_tables import check_table
from clerestory.project.decisions import load_decisions
from clerestory.project.draft import Draft
from clerestory.project.hierarchy import load_hierarchy
from clerestory.project.models import LANGUAGES, NAME, ProjectFile, SourceFile, TableFile
from clerestory.project.page import ReadPage, read_page
from clerestory.project.problems import Document, nearest, relative
from clerestory.project.project import Page, Project, Source, Table
from clerestory.project.read import read_toml, to_model

SETTINGS = "clerestory.toml"
_PAGE_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_RESERVED = ("es", "en", "assets", "data", "methodology", "data-dictionary", "accessibility", "404")
"""Addresses that every site has by itself."""


def load(root: Path) -> Project:
    """The project in a folder, whole and checked; no source is opened.

    Raises Problems that lists everything found wrong, each with file, line and key; InputError if the
    folder is not a project.
    """
    if not (root / SETTINGS).is_file():
        raise InputError(
            f"there is no {SETTINGS} in this folder",
            where=str(root),
            fix="go to a project's folder, or make one with: clerestory new DIR",
        )
    draft = Draft(root)
    said = _settings(draft)
    for file in sorted((root / "sources").glob("*.toml")):
        _source(draft, file)
    for file in sorted((root / "tables").glob("*.toml")):
        _tables(draft, file)
    for source in draft.sources.values():
        check_source(draft, source)
    for name in list(draft.tables):
        draft.tables[name] = check_table(draft, draft.tables[name])
    check_methods(draft)
    pages = _pages(draft, said.site.languages if said else LANGUAGES)
    check_pages(draft, pages)
    decisions = load_decisions(draft)
    if said is not None:
        pages = _in_order(draft, pages, said.site.navigation)
    draft.collect.finish()
    if said is None:
        raise InputError("the settings cannot be used", where=SETTINGS)
    return Project(
        root=root,
        said=said,
        policy=draft.policy,
        hierarchies=draft.hierarchies,
        sources=draft.sources,
        tables=draft.tables,
        pages=pages,
        warnings=tuple(draft.collect.warnings),
        decisions=decisions,
    )


def _settings(draft: Draft) -> ProjectFile | None:
    read = read_toml(draft.root, draft.root / SETTINGS, draft.collect)
    if read is None:
        draft.broken_settings = True
        return None
    value, document = read
    names = value.get("hierarchies")
    said = to_model(ProjectFile, value, document, draft.collect)
    if said is None:
        draft.broken.update(("hierarchy", name) for name in (names if isinstance(names, dict) else ()))
        draft.broken_settings = True
        return None
    draft.policy = _policy(draft, said, document)
    for name, one in said.hierarchies.items():
        key = ("hierarchies", name)
        for level in one.titles:
            if level not in one.levels:
                draft.collect.add(
                    f"no level {level!r}",
                    where=document.at((*key, "titles", level)),
                    fix=nearest(level, one.levels),
                )
        if len(set(one.levels)) < len(one.levels):
            draft.collect.add(
                "a level stands twice", where=document.at((*key, "levels")), fix="name each once"
            )
            draft.broken.add(("hierarchy", name))
            continue
        hierarchy = load_hierarchy(draft.root, name, one, document.at((*key, "file")), draft.collect)
        if hierarchy is None:
            draft.broken.add(("hierarchy", name))
        else:
            draft.hierarchies[name] = hierarchy
    if len(set(said.site.languages)) < len(said.site.languages) or said.site.languages[:1] != ("en",):
        draft.collect.add(
            "the languages are not English first and each once",
            where=document.at(("site", "languages")),
            fix='write ["en"] or ["en", "es"]',
        )
    draft.documents["settings", ""] = document
    return said


def _policy(draft: Draft, said: ProjectFile, document: Document) -> Policy:
    asked = said.policy
    dominance, prior = asked.dominance, asked.prior_posterior
    try:
        policy = policy_for(
            asked.profile,
            Tightening(
                minimum_count=asked.minimum_count,
                interval_width=asked.interval_width,
                minimum_contributors=asked.minimum_contributors,
                dominance=Dominance(dominance.contributors, dominance.share) if dominance else None,
                p_percent=asked.p_percent,
                prior_posterior=PriorPosterior(prior.p, prior.q) if prior else None,
                attribute_minimum=asked.attribute_minimum,
                minimum_population=asked.minimum_population,
                unstable_below=asked.unstable_below,
                scoring=asked.scoring,
                audit_level=asked.audit_level,
                insider_records=asked.insider_records,
            ),
        )
    except InputError as error:
        key = error.where.rpartition("policy.")[2]
        draft.collect.add(error.what, where=document.at(("policy", key)), fix=error.fix)
        policy = CALHHS_DDG_2_0
    return replace(policy, cost=asked.cost)


def _source(draft: Draft, file: Path) -> None:
    name = file.stem
    if not re.fullmatch(NAME, name):
        draft.collect.add(
            f"{name!r} is not a source's name",
            where=relative(draft.root, file),
            fix="rename the file: a small letter first, then small letters, digits and underscores",
        )
    read = read_toml(draft.root, file, draft.collect)
    said = to_model(SourceFile, read[0], read[1], draft.collect) if read else None
    if read is None or said is None:
        draft.broken.add(("source", name))
        return
    draft.sources[name] = Source(name, file, said)
    draft.documents["source", name] = read[1]


def _tables(draft: Draft, file: Path) -> None:
    read = read_toml(draft.root, file, draft.collect)
    if read is None:
        draft.broken_tables = True
        return
    value, document = read
    for name, one in value.items():
        if not re.fullmatch(NAME, name):
            draft.collect.add(
                f"{name!r} is not a table's name",
                where=document.at((name,)),
                fix="a small letter first, then small letters, digits and underscores",
            )
        said = to_model(TableFile, one, document, draft.collect, key=(name,))
        if name in draft.tables or ("table", name) in draft.broken:
            draft.collect.add(
                f"a second table {name!r}",
                where=document.at((name,)),
                fix="give each table a name of its own",
            )
        elif said is None:
            draft.broken.add(("table", name))
        else:
            draft.tables[name] = Table(name, file, said, ())
            draft.documents["table", name] = document


def _pages(draft: Draft, languages: tuple[str, ...]) -> tuple[Page, ...]:
    """Every page in every language; where a page was not translated its English words stand in."""
    folder = draft.root / "dashboards"
    found: dict[tuple[str, str], ReadPage] = {}
    seen: dict[tuple[str, str], str] = {}
    for file in sorted(folder.rglob("*.md")):
        name = relative(draft.root, file)
        stem, dot, language = file.name.removesuffix(".md").rpartition(".")
        if not dot:
            stem, language = language, "en"
        if language not in languages or (dot and language == "en"):
            draft.collect.add(
                f"the site has no pages in {language!r}"
                if language != "en"
                else "English pages have no '.en'",
                where=name,
                fix=f"rename the file, or set site.languages in {SETTINGS}",
            )
            continue
        steps = [*file.parent.relative_to(folder).parts, *([] if stem == "index" else [stem])]
        path = "/".join(steps)
        bad = next((step for step in steps if not _PAGE_NAME.fullmatch(step)), None)
        if bad is not None:
            draft.collect.add(
                f"{bad!r} cannot stand in an address", where=name, fix="use small letters, digits and hyphens"
            )
        if steps and steps[0] in _RESERVED:
            draft.collect.add(
                f"the address {steps[0]}/ is taken: every site has it", where=name, fix="rename the page"
            )
        if (path, language) in seen:
            draft.collect.add(
                f"two pages have the address {path!r}: this one and {seen[path, language]}",
                where=name,
                fix="remove or rename one of them",
            )
            continue
        seen[path, language] = name
        page = read_page(draft.root, file, path, language, draft.collect)
        if page is not None:
            found[path, language] = page
    for path, language in seen:
        if language != "en" and (path, "en") not in seen:
            draft.collect.add(
                "there is no English page beside this one",
                where=seen[path, language],
                fix=f"write {seen[path, language].removesuffix(f'.{language}.md')}.md",
            )
    pages: list[Page] = []
    for (path, language), read in found.items():
        stands_for = [language]
        if language == "en":
            stands_for += [other for other in languages if (path, other) not in seen]
        for each in stands_for:
            pages.append(replace(read.page, language=each))
            draft.documents["page", f"{each}:{path}"] = read.document
            if not read.whole:
                draft.partial_pages.add((path, each))
            if each != language:
                draft.collect.warnings.append(
                    f"{read.document.name}: no {each} version; the English one is used"
                )
    return tuple(pages)


def _in_order(draft: Draft, pages: tuple[Page, ...], navigation: tuple[str, ...]) -> tuple[Page, ...]:
    """Pages in the order of the menu, then by address; the languages of a page follow each other."""
    paths = sorted({page.path for page in pages})
    document = draft.documents["settings", ""]
    for place, path in enumerate(navigation):
        if path not in paths:
            draft.collect.add(
                f"the menu names a page {path!r} that does not exist",
                where=document.at(("site", "navigation", place)),
                fix=nearest(path, paths),
            )
    order = {path: place for place, path in enumerate([*dict.fromkeys(navigation)])}
    return tuple(sorted(pages, key=lambda page: (order.get(page.path, len(order)), page.path, page.language)))
