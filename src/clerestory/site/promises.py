"""What a method promises of the numbers of a source, in a sentence or two for readers."""

from __future__ import annotations

from clerestory.methods import (
    CellKey,
    CellKeyMode,
    DifferentialPrivacy,
    Protector,
    Rounding,
    RoundingKind,
)

_CONVENTIONAL = (
    "Every number is rounded to the nearest multiple of {base}, so it is within {within} of the true "
    "one. Parts need not add up to totals. A zero stands for nobody or a few.",
    "Cada número se redondea al múltiplo de {base} más cercano, así que difiere del verdadero en "
    "{within} como máximo. Las partes pueden no sumar el total. Un cero significa nadie o unos pocos.",
)
_RANDOM = (
    "Every number is rounded at random to a multiple of {base} below or above it, so it is within "
    "{within} of the true one; on average rounding changes nothing. Parts need not add up to totals. A "
    "zero stands for nobody or a few.",
    "Cada número se redondea al azar a un múltiplo de {base} inferior o superior, así que difiere del "
    "verdadero en {within} como máximo; en promedio el redondeo no cambia nada. Las partes pueden no "
    "sumar el total. Un cero significa nadie o unos pocos.",
)
_CONTROLLED = (
    "Every number is rounded to a multiple of {base} near it, within {within} of the true one, so that "
    "parts still add up to totals. A zero stands for nobody or a few.",
    "Cada número se redondea a un múltiplo de {base} cercano, a {within} como máximo del verdadero, de "
    "modo que las partes siguen sumando el total. Un cero significa nadie o unos pocos.",
)
_CONSISTENT = (
    "Every count above zero carries a small change, of at most {largest}, that follows from who is "
    "counted: the same people have the same number in every table and release. Parts need not add up to "
    "totals. A zero stands for nobody or a few; small numbers mean little.",
    "Cada recuento mayor que cero lleva un pequeño cambio, de {largest} como máximo, que depende de "
    "quiénes se cuentan: las mismas personas dan el mismo número en todas las tablas y publicaciones. "
    "Las partes pueden no sumar el total. Un cero significa nadie o unos pocos; los números pequeños "
    "dicen poco.",
)
_ADDITIVE = (
    "Every count above zero carries a small change that follows from who is counted, and the numbers "
    "are then made to add up. No largest difference from the true number is promised. A zero stands for "
    "nobody or a few; small numbers mean little.",
    "Cada recuento mayor que cero lleva un pequeño cambio que depende de quiénes se cuentan; después "
    "los números se ajustan para que sumen. No se promete una diferencia máxima con el número "
    "verdadero. Un cero significa nadie o unos pocos; los números pequeños dicen poco.",
)
_NOISE = (
    "Every number carries random noise, so that this release is nearly as likely with or without any "
    "one person: differential privacy with rho {rho} (epsilon {epsilon} at delta {delta}), at most "
    "{records} records of each person counted. The numbers are then made whole, not negative, and to "
    "add up. No largest difference from the true number is promised; a zero need not be one.",
    "Cada número lleva ruido aleatorio, de modo que esta publicación es casi igual de probable con o "
    "sin cualquier persona: privacidad diferencial con rho {rho} (épsilon {epsilon} con delta {delta}); "
    "de cada persona cuentan {records} registros como máximo. Después los números se hacen enteros, no "
    "negativos y sumables. No se promete una diferencia máxima con el número verdadero; un cero puede "
    "no serlo.",
)
_ROUNDING = {
    RoundingKind.CONVENTIONAL: _CONVENTIONAL,
    RoundingKind.RANDOM: _RANDOM,
    RoundingKind.CONTROLLED: _CONTROLLED,
}


def promise(method: Protector, language: str) -> str:
    """What a reader is told of every number under a method; empty where numbers are shown as they are."""
    if isinstance(method, Rounding):
        words, parts = _ROUNDING[method.kind], {"base": f"{method.base:,}", "within": f"{method.within:,}"}
    elif isinstance(method, CellKey):
        words = _CONSISTENT if method.mode is CellKeyMode.CONSISTENT else _ADDITIVE
        parts = {"largest": f"{method.largest:,}"}
    elif isinstance(method, DifferentialPrivacy):
        words = _NOISE
        parts = {
            "rho": f"{method.rho:g}",
            "epsilon": f"{method.epsilon:.3g}",
            "delta": f"{method.delta:g}",
            "records": f"{method.records:,}",
        }
    else:
        return ""
    return words[1 if language == "es" else 0].format(**parts)
