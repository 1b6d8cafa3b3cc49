"""What readers see of categories that no project file names: periods, bands, totals, missing values."""

from __future__ import annotations

from clerestory.tables import Text, text

MONTHS = (
    ("January", "enero"),
    ("February", "febrero"),
    ("March", "marzo"),
    ("April", "abril"),
    ("May", "mayo"),
    ("June", "junio"),
    ("July", "julio"),
    ("August", "agosto"),
    ("September", "septiembre"),
    ("October", "octubre"),
    ("November", "noviembre"),
    ("December", "diciembre"),
)

TOTAL_LABEL = text("All", es="Total")
MISSING_LABEL = text("Unknown", es="Sin dato")

_TITLES = {
    "year": text("Year", es="Año"),
    "quarter": text("Quarter", es="Trimestre"),
    "month": text("Month", es="Mes"),
    "month-of-year": text("Month of the year", es="Mes del año"),
    "age": text("Age", es="Edad"),
}


def period_label(by: str, code: str) -> Text:
    """A year, quarter or month, from its code: "2012-03" is March 2012, marzo de 2012."""
    year, _, part = code.partition("-")
    if by == "quarter":
        return text(f"{part} {year}", es=f"T{part[1:]} {year}")
    if by == "month":
        english, spanish = MONTHS[int(part) - 1]
        return text(f"{english} {year}", es=f"{spanish} de {year}")
    return text(year, es=year)


def month_label(code: str) -> Text:
    """A month of any year, from its code "01" to "12"."""
    english, spanish = MONTHS[int(code) - 1]
    return text(english, es=spanish)


def band_label(low: int | None, high: int | None) -> Text:
    """A class of whole numbers from `low` to below `high`: "21 to 24", "65 and over", "under 21"."""
    if low is None:
        return text(f"Under {high}", es=f"Menos de {high}")
    if high is None:
        return text(f"{low} and over", es=f"{low} y más")
    if high - low == 1:
        return text(str(low), es=str(low))
    return text(f"{low} to {high - 1}", es=f"{low} a {high - 1}")


def dimension_title(name: str, by: str | None, age: bool) -> Text:
    """A heading for a dimension that has none."""
    known = _TITLES.get(by or ("age" if age else ""))
    return known or text(name.replace("_", " ").capitalize())
