"""What the templates say, in English and Spanish. Words that a project says itself are in its files."""

from __future__ import annotations

from collections.abc import Mapping

_WORDS: Mapping[str, tuple[str, str]] = {
    "language": ("English", "Español"),
    "skip": ("Skip to the content", "Ir al contenido"),
    "menu": ("Menu", "Menú"),
    "main_menu": ("Main menu", "Menú principal"),
    "section_menu": ("In this section", "En esta sección"),
    "trail": ("You are here", "Está aquí"),
    "home": ("Home", "Inicio"),
    "notice": ("About these figures", "Sobre estas cifras"),
    "choose": ("Choose what to show", "Elija qué mostrar"),
    "show": ("Show", "Mostrar"),
    "all_values": ("All pages by {dimension}", "Todas las páginas por {dimension}"),
    "showing": ("Showing {choice}", "Se muestra: {choice}"),
    "figures": ("Key figures", "Cifras principales"),
    "at_total": ("This chart always shows {total}.", "Este gráfico siempre muestra {total}."),
    "elsewhere": ("Published for {whole} as a whole:", "Se publica para {whole} en conjunto:"),
    "first_drawn": (
        "The chart draws the largest only; the table has them all.",
        "El gráfico muestra solo los valores mayores; la tabla los contiene todos.",
    ),
    "first_in_order": (
        "The chart draws the first only; the table has them all.",
        "El gráfico muestra solo los primeros; la tabla los contiene todos.",
    ),
    "hidden_left_out": (
        "Hidden parts are left out: a bar marked so stands for more than it shows.",
        "Las partes ocultas se omiten: una barra con ese signo representa más de lo que muestra.",
    ),
    "table_of": ("Table of these numbers", "Tabla de estas cifras"),
    "key": ("Key", "Clave"),
    "hidden": ("hidden", "oculto"),
    "no-data": ("not collected", "sin datos"),
    "incomplete": ("incomplete", "incompleto"),
    "unstable": ("unstable", "inestable"),
    "key_hidden": (
        "hidden: a small number, or a number that would give one away; at least one",
        "oculto: un número pequeño, o uno que permitiría deducirlo; al menos uno",
    ),
    "key_hidden_zero": (
        "hidden: a small number, or a number that would tell of few people; it may be zero",
        "oculto: un número pequeño, o uno que diría algo de pocas personas; puede ser cero",
    ),
    "key_no-data": ("not collected", "sin datos: no se recopiló"),
    "key_incomplete": (
        "incomplete: counting is not finished",
        "incompleto: el recuento no ha terminado",
    ),
    "key_unstable": ("unstable: rests on few records", "inestable: se basa en pocos registros"),
    "zero": ("a zero is a true zero", "un cero es un cero verdadero"),
    "why_hidden": ("Why are numbers hidden?", "¿Por qué se ocultan números?"),
    "total": ("Total", "Total"),
    "download": ("Download", "Descargar"),
    "about_data": ("About this table", "Sobre esta tabla"),
    "whole_table": ("the whole table", "la tabla completa"),
    "alt_largest": ("Largest number shown: {label}.", "Número mayor mostrado: {label}."),
    "alt_hidden": ("Some numbers are hidden.", "Algunos números están ocultos."),
    "alt_all_hidden": ("Every number is hidden.", "Todos los números están ocultos."),
    "alt_table": (
        "The table after the chart has the same numbers.",
        "La tabla que sigue tiene los mismos números.",
    ),
    "and": ("and", "y"),
    "legend_hidden": ("hidden", "oculto"),
    "legend_none": ("none or not collected", "ninguno o sin datos"),
    "marked": ("{whole}, {chosen} marked", "{whole}, con {chosen} resaltado"),
    "count": ("Number", "Número"),
    "sources": ("Sources", "Fuentes"),
    "updated": ("Records as of", "Registros al"),
    "released": ("Released", "Publicado"),
    "published_by": ("Published by", "Publicado por"),
    "report": (
        "This seems to expose someone",
        "Esto parece exponer a alguien",
    ),
    "report_summary": (
        "If something on this site seems to show who a person is, tell us. We look at every report.",
        "Si algo en este sitio parece mostrar quién es una persona, díganoslo. Revisamos cada aviso.",
    ),
    "about": ("About", "Acerca de"),
    "pages": ("Dashboards", "Paneles"),
    "explore": ("Explore", "Explorar"),
    "methodology": ("Methodology", "Metodología"),
    "methodology_summary": (
        "How the numbers are counted and how the people behind them are protected.",
        "Cómo se cuentan los números y cómo se protege a las personas que hay detrás.",
    ),
    "data-dictionary": ("Data dictionary", "Diccionario de datos"),
    "data-dictionary_summary": (
        "Every table, its dimensions and categories, and where its records come from.",
        "Cada tabla, sus dimensiones y categorías, y de dónde vienen sus registros.",
    ),
    "data": ("Open data", "Datos abiertos"),
    "data_summary": (
        "Every published table, to download at an address that stays.",
        "Todas las tablas publicadas, para descargar en una dirección que no cambia.",
    ),
    "accessibility": ("Accessibility", "Accesibilidad"),
    "accessibility_summary": (
        "What we have done so that everybody can use this site, and what to do if you cannot.",
        "Qué hemos hecho para que todos puedan usar este sitio, y qué hacer si usted no puede.",
    ),
    "not_found": ("There is no such page", "Esta página no existe"),
    "not_found_text": (
        "The address may be mistyped, or the page may have moved.",
        "La dirección puede tener un error o la página puede haber cambiado de lugar.",
    ),
    "to_home": ("Go to the first page", "Ir a la página de inicio"),
    "dimension": ("Dimension", "Dimensión"),
    "dimensions": ("Dimensions", "Dimensiones"),
    "categories": ("Categories", "Categorías"),
    "code": ("Code", "Código"),
    "label": ("Label", "Etiqueta"),
    "level": ("Level", "Nivel"),
    "inside": ("Inside", "Dentro de"),
    "counts": ("What is counted", "Qué se cuenta"),
    "crossings": ("Published together", "Publicadas juntas"),
    "made_of": ("Made from", "Se obtiene de"),
    "role": ("Role", "Función"),
    "field": ("Field", "Campo"),
    "meaning": ("Meaning", "Significado"),
    "files": ("Files", "Archivos"),
    "list": ("List", "Lista"),
    "public_rows": (
        "The rows of this list are public as such; they are about no person.",
        "Las filas de esta lista son públicas; no se refieren a ninguna persona.",
    ),
    "records": ("record", "registro"),
    "each": ("each {unit} counts once", "cada {unit} cuenta una vez"),
    "persons": ("each person counts once", "cada persona cuenta una vez"),
    "sum": ("sum of {measure}", "suma de {measure}"),
    "restricted": ("Counted only where", "Se cuentan solo donde"),
    "status_word": ("Status word", "Palabra de estado"),
    "symbol": ("Symbol", "Símbolo"),
    "top": ("Back to top", "Volver arriba"),
}


def word(key: str, language: str, **parts: str) -> str:
    """The words for a key, with its parts filled in. Raises KeyError for an unknown key."""
    english, spanish = _WORDS[key]
    said = spanish if language == "es" else english
    return said.format(**parts) if parts else said


def joined(words: list[str], language: str) -> str:
    """Words as a list in a sentence: a, b and c."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {word('and', language)} {words[-1]}"
