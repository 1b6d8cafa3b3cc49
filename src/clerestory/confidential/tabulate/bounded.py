"""Bounds what one person gives: of each, so many records count at most, whichever tables count them."""

from __future__ import annotations

from dataclasses import replace

import ibis

from clerestory.confidential.design import Plan
from clerestory.confidential.records import Records
from clerestory.confidential.tabulate.fields import person_of


def bounded(records: Records, plan: Plan, most: int) -> Records:
    """The records with at most `most` of each person; records that do not say whose they are all stay.

    Which ones stay follows from the person's own records alone: the first in the order of what they hold.
    """
    table = records.table.mutate(clerestory_person=person_of(records, plan.source.said.person))
    order = [ibis._[column] for column in plan.columns]
    window = ibis.window(group_by=ibis._["clerestory_person"], order_by=order)
    numbered = table.mutate(clerestory_place=ibis.row_number().over(window))
    kept = numbered.filter((numbered["clerestory_place"] < most) | numbered["clerestory_person"].isnull())
    return replace(records, table=kept.select(*records.table.columns))
