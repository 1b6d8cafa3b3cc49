"""The server's own pages, in English and Spanish: withdrawn, nothing published, and the report form.

Each is whole by itself: no script, no file of the site, which may be what was withdrawn.
"""

from __future__ import annotations

import base64
import hashlib
import html
from dataclasses import dataclass
from functools import lru_cache

_STYLE = (
    "body{font:1.1rem/1.6 system-ui,sans-serif;max-width:38rem;margin:3rem auto;padding:0 1.2rem;"
    "color:#1b1b1b;background:#fff}h1{font-size:1.6rem;line-height:1.25}"
    "section+section{border-top:1px solid #767676;margin-top:2.5rem;padding-top:1rem}"
    "label{display:block;font-weight:600;margin-top:1.2rem}"
    "input,textarea{font:inherit;width:100%;box-sizing:border-box;padding:.5rem;border:1px solid #767676}"
    "button{font:inherit;margin-top:1.4rem;padding:.6rem 1.4rem;border:0;background:#0b5394;color:#fff}"
    "a{color:#0b5394}:focus-visible{outline:3px solid #0b5394;outline-offset:2px}"
)
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Of these pages: their one style by its digest, and a form that goes nowhere else."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A page and the header line of its policy."""

    body: bytes
    policy_line: bytes = b"content-security-policy: %b\r\n" % POLICY.encode()


def _page(title: str, english: str, spanish: str) -> Notice:
    return Notice(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<meta name="robots" content="noindex">\n<title>{title}</title>\n'
            f"<style>{_STYLE}</style>\n</head>\n"
            f'<body>\n<main>\n<section lang="en">\n{english}\n</section>\n'
            f'<section lang="es">\n{spanish}\n</section>\n</main>\n</body>\n</html>\n'
        ).encode()
    )


@lru_cache(maxsize=4)
def gone(since: str) -> Notice:
    """The page that stands where a release was withdrawn. since: a date and time as readers see it, or ""."""
    day = html.escape(since)
    return _page(
        "Withdrawn · Retirado",
        "<h1>This site has been withdrawn</h1>\n"
        f"<p>What was published here was taken down{f' on {day}' if day else ''} and is being looked at. "
        "It is not available for now, and this address does not say more than that.</p>\n"
        "<p>If you have downloaded files from here, please do not pass them on for now.</p>\n"
        '<p>Does something here seem to expose somebody? <a href="/report">Tell us.</a></p>',
        "<h1>Este sitio ha sido retirado</h1>\n"
        f"<p>Lo que se publicó aquí fue retirado{f' el {day}' if day else ''} y se está revisando. "
        "Por ahora no está disponible, y esta dirección no dice nada más.</p>\n"
        "<p>Si usted descargó archivos de aquí, por favor no los comparta hasta que este aviso "
        "desaparezca.</p>\n"
        '<p>¿Algo aquí parece exponer a una persona? <a href="/report">Avísenos.</a></p>',
    )


NOTHING = _page(
    "Nothing published · Nada publicado",
    "<h1>Nothing is published here at the moment</h1>\n<p>Please come back later.</p>",
    "<h1>Por el momento no hay nada publicado aquí</h1>\n<p>Por favor, vuelva más tarde.</p>",
)


def _form(language: str, words: tuple[str, ...]) -> str:
    title, intro, page, saw, contact, send = words
    return (
        f"<h1>{title}</h1>\n<p>{intro}</p>\n"
        '<form method="post" action="/report" accept-charset="utf-8">\n'
        f'<input type="hidden" name="language" value="{language}">\n'
        f'<label for="page-{language}">{page}</label>\n'
        f'<input id="page-{language}" name="page" maxlength="500" required>\n'
        f'<label for="text-{language}">{saw}</label>\n'
        f'<textarea id="text-{language}" name="text" rows="6" maxlength="2000" required></textarea>\n'
        f'<label for="contact-{language}">{contact}</label>\n'
        f'<input id="contact-{language}" name="contact" maxlength="200" autocomplete="email">\n'
        f'<button type="submit">{send}</button>\n</form>'
    )


FORM = _page(
    "Report · Avisar",
    _form(
        "en",
        (
            "This seems to expose someone",
            "Tell us where, and what one can work out. Please give no more about the person than is needed: "
            "what you write is kept confidential, and somebody who did not make the page will look at it.",
            "Address of the page",
            "What you saw",
            "How to reach you, if you like (optional)",
            "Send the report",
        ),
    ),
    _form(
        "es",
        (
            "Esto parece exponer a una persona",
            "Díganos dónde, y qué se puede deducir. Por favor, no dé más datos de la persona de los "
            "necesarios: lo que escriba es confidencial, y lo revisará alguien que no hizo la página.",
            "Dirección de la página",
            "Lo que vio",
            "Cómo contactarle, si quiere (opcional)",
            "Enviar el aviso",
        ),
    ),
)


def thanks(number: str) -> Notice:
    """The page after a report was written down. number: what it is kept under."""
    kept = html.escape(number)
    return _page(
        "Thank you · Gracias",
        f"<h1>Thank you</h1>\n<p>Your report is written down under the number <strong>{kept}</strong>, and "
        "its clock is running: if nobody decides in time, what you reported is taken down.</p>",
        f"<h1>Gracias</h1>\n<p>Su aviso quedó registrado con el número <strong>{kept}</strong>, y el plazo "
        "corre: si nadie decide a tiempo, lo que usted señaló se retira.</p>",
    )


BAD_REPORT = _page(
    "Not understood · No se entendió",
    "<h1>The report could not be read</h1>\n<p>Please give the address of the page and what you saw, in at "
    'most 2,000 letters. <a href="/report">Back to the form</a></p>',
    "<h1>El aviso no se pudo leer</h1>\n<p>Por favor, indique la dirección de la página y lo que vio, en "
    'no más de 2.000 letras. <a href="/report">Volver al formulario</a></p>',
)
BUSY = _page(
    "Later · Más tarde",
    "<h1>Too many reports at once</h1>\n<p>Yours was not written down. Please try again in an hour, or write "
    "to the address on the site.</p>",
    "<h1>Demasiados avisos a la vez</h1>\n<p>El suyo no quedó registrado. Por favor, inténtelo en una hora o "
    "escriba a la dirección del sitio.</p>",
)
