"""The reviewer's page: what would become public, beside what only insiders may see; and what was answered."""

from clerestory.confidential.review.answers import (
    PAGE,
    RECORD,
    Answers,
    Review,
    answered,
    read_answers,
    read_review,
)
from clerestory.confidential.review.attention import Point, attention
from clerestory.confidential.review.drift import counts_of, drift
from clerestory.confidential.review.facts import Facts
from clerestory.confidential.review.fields import fields_used, read_fields
from clerestory.confidential.review.page import SECTIONS, page_digest, render
from clerestory.confidential.review.words import same_word, word_for

__all__ = [
    "PAGE",
    "RECORD",
    "SECTIONS",
    "Answers",
    "Facts",
    "Point",
    "Review",
    "answered",
    "attention",
    "counts_of",
    "drift",
    "fields_used",
    "page_digest",
    "read_answers",
    "read_fields",
    "read_review",
    "render",
    "same_word",
    "word_for",
]
