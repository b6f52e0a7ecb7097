"""The district that a simulation happens in, from its files."""

from typing import Final

from agents.packing.gazetteer import read_gazetteer
from agents.packs import SHIPPED, folder_of, load_pack, load_policy, load_sources
from agents.places import load_intake
from agents.simulating.stream import World
from agents.simulating.world import world_of
from schemas.codes import Clock

NOBODYS_KEY: Final = b"a simulation matches nobody"


def world_at(district: str) -> World:
    """The district by its name; `PackError` where its files are not right, `UserError` where they do not suffice."""
    pack = load_pack(district)
    return world_of(
        pack,
        read_gazetteer(folder_of(district, SHIPPED), pack.district.areas),
        load_policy(district, Clock.LOG),
        load_sources(district),
        load_intake(district, NOBODYS_KEY).by_name,
    )
