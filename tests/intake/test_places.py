"""Where a thing is: by columns in order, by a grid's code, by address, by the nearest point, or nowhere known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.packing.gazetteer import read_gazetteer
from agents.packs import SHIPPED, load_pack
from schemas.codes import Flag
from schemas.gazetteer import GazetteerFile, problems
from schemas.mapping import Bounds, PlaceRule, SourceMapping
from streams.intake.gazetteer import Gazetteer
from streams.intake.places import Located, Locating, locator

AREAS = {"a1": "泰山街道", "a2": "江浦街道"}
FILE = GazetteerFile.model_validate(
    {
        "near_km": 3,
        "places": [
            {"names": ["泰山新村", "桥北"], "area": "a1", "lat": 32.146, "lon": 118.711},
            {"names": ["泰山路", "文德路"], "area": "a2", "lat": 32.059, "lon": 118.622},
            {"names": ["文德路站"], "area": "a2", "lat": 32.0595, "lon": 118.6216, "grid": "a2007", "exact": True},
        ],
    }
)
PLACES = Gazetteer(FILE, AREAS)
SHIPPED_FILE = read_gazetteer(SHIPPED / "districts/pukou", load_pack("pukou").district.areas)
SHIPPED_PLACES = Gazetteer(SHIPPED_FILE)
COLUMNS = ["grid", "station", "address", "lat", "lon", "lat2", "lon2"]
BOX = Bounds(south=31.8, west=118.3, north=32.3, east=118.85)
MAPPING = {
    "place": [
        {"lat": "lat", "lon": "lon", "bounds": BOX.model_dump()},
        {"lat": "lat2", "lon": "lon2", "bounds": BOX.model_dump()},
    ],
    "area": [
        {"rule": "prefix", "column": "grid", "length": 2},
        {"rule": "column", "column": "station", "table": {"S9": "a2"}},
        {"rule": "address", "column": "address"},
        {"rule": "nearest"},
    ],
}


def located(**given: str) -> Located:
    """Where a record with these columns lies."""
    rule = SourceMapping.model_validate(
        {
            "name": "x",
            "title": "x",
            "licence": "x",
            "topic": "grid",
            "columns": COLUMNS,
            "report": {
                "id": "grid",
                "time": {"column": "grid"},
                "category": {"column": "grid", "known": {}},
                "grid": "grid",
                **MAPPING,
            },
        }
    ).report
    assert rule is not None
    locate = locator(Locating(rule.place, rule.area, rule.grid), COLUMNS, PLACES)
    return locate([given.get(column, "") for column in COLUMNS])


@pytest.mark.parametrize(
    ("address", "area"),
    [
        ("南京市浦口区江浦街道文德路12号", "a2"),  # the title has four characters, the road three; both say a2
        ("江浦街道泰山新村3栋", "a2"),  # of two as long the first
        ("泰山路18号", "a2"),
        ("浦口区 泰山 新村", "a1"),
        ("桥北", "a1"),
        ("泰", None),
        ("", None),
        ("上海市浦东新区", None),
        ("x" * 400 + "桥北", None),
    ],
)
def test_the_longest_name_in_an_address_decides(address: str, area: str | None) -> None:
    found = PLACES.find(address)
    assert (found.area if found else None) == area


def test_a_name_within_a_longer_one_does_not_count() -> None:
    nested = {"near_km": 1, "places": [{"names": ["泰山"], "area": "a1"}, {"names": ["泰山路小学"], "area": "a2"}]}
    places = Gazetteer(GazetteerFile.model_validate(nested))
    assert [found.area for text in ("泰山路小学北门", "泰山路") if (found := places.find(text))] == ["a2", "a1"]


@pytest.mark.parametrize(
    ("lat", "lon", "area"),
    [
        (32.146, 118.711, "a1"),
        (32.12, 118.711, "a1"),  # 2.9 km south of it
        (32.118, 118.711, None),  # 3.1 km
        (32.06, 118.63, "a2"),
        (32.059, 118.6535, "a2"),  # 2.97 km: a degree of longitude is shorter here
        (32.059, 118.655, None),
        (0.0, 0.0, None),
    ],
)
def test_coordinates_belong_to_the_nearest_point_that_is_near_enough(lat: float, lon: float, area: str | None) -> None:
    assert PLACES.nearest(lat, lon) == area


@given(lat=st.floats(31.7, 32.4), lon=st.floats(118.2, 118.9))
def test_the_nearest_point_is_that_of_a_plain_search(lat: float, lon: float) -> None:
    # Longitude shrinks by the cosine of 32 degrees; what so small a difference of it decides is not this test's matter.
    away = [
        (((entry.lat - lat) ** 2 + ((entry.lon - lon) * 0.848) ** 2) ** 0.5 * 111.195, entry.area)
        for entry in SHIPPED_FILE.places
        if entry.lat is not None and entry.lon is not None
    ]
    least, found = min(away)[0], SHIPPED_PLACES.nearest(lat, lon)
    if least < SHIPPED_FILE.near_km * 0.98:
        assert found in {area for distance, area in away if distance < least * 1.02 + 0.01}
    elif least > SHIPPED_FILE.near_km * 1.02:
        assert found is None


def test_rules_are_tried_in_order() -> None:
    everything = {"station": "S9", "address": "桥北", "lat": "32.146", "lon": "118.711"}
    assert located(grid="a1007", **everything).area == "a1"
    assert located(grid="zz007", **everything)[:2] == ("a2", None)
    assert located(**{**everything, "station": "S0"}) == Located("a1", None, 32.146, 118.711, (Flag.BY_ADDRESS,))
    assert located(lat="32.06", lon="118.63") == Located("a2", None, 32.06, 118.63, ())
    assert located(station="a1") == Located(None, None, None, None, (Flag.NO_PLACE,))


def test_a_grid_of_another_area_is_left_out() -> None:
    assert located(grid="a1007").grid == "a1007"
    assert located(grid="a3007", station="S9") == Located("a2", None, None, None, ())
    assert located(grid="a1 007").grid is None


def test_an_exact_place_gives_coordinates_and_a_street_does_not() -> None:
    flags = (Flag.BY_ADDRESS,)
    assert located(address="文德路站2号口") == Located("a2", "a2007", 32.0595, 118.6216, flags)
    assert located(address="文德路12号") == Located("a2", None, None, None, flags)
    assert located(address="文德路站", lat="32.06", lon="118.62")[2:4] == (32.06, 118.62)


def test_the_first_coordinates_inside_count() -> None:
    assert located(lat="32.06", lon="118.63", lat2="32.146", lon2="118.711").area == "a2"
    assert located(lat="31.2", lon="121.5", lat2="32.146", lon2="118.711") == Located("a1", None, 32.146, 118.711, ())
    assert located(lat="0", lon="0.0", lat2="32.146", lon2="118.711").area == "a1"
    assert located(lat="0", lon="0").flags == (Flag.NO_PLACE,)


def test_coordinates_outside_locate_nothing_and_are_kept() -> None:
    assert located(lat="31.2", lon="121.5") == Located(None, None, 31.2, 121.5, (Flag.OUTSIDE,))
    assert located(lat="31.2", lon="121.5", address="桥北").flags == (Flag.OUTSIDE, Flag.BY_ADDRESS)
    assert located(lat="31.2", lon="121.5", station="S9")[:1] == ("a2",)


def test_a_decimal_comma_is_read() -> None:
    rule = PlaceRule(lat="lat", lon="lon", decimal=",")
    locate = locator(Locating((rule,), ()), ["lat", "lon"], PLACES)
    assert locate(["32,06", "118,63"])[2:4] == (32.06, 118.63)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"names": ["桥北"], "area": "a9"}, "'a9' is none of the district's areas"),
        ({"names": ["桥北", "文德路"], "area": "a1"}, "'文德路' stands in entry 2 already"),
    ],
)
def test_what_does_not_fit_in_a_gazetteer_is_told(entry: dict[str, object], told: str) -> None:
    found = FILE.model_dump()["places"]
    file = GazetteerFile.model_validate({"near_km": 3, "places": [*found[1:2], found[1] | entry, entry]})
    assert told.replace("entry 2", "entry 1") in {text for _, text in problems(file, AREAS)}


@pytest.mark.parametrize("wrong", [{"lat": 32.0}, {"exact": True}, {"names": ["桥"]}, {"names": []}])
def test_an_entry_that_says_nothing_is_refused(wrong: dict[str, object]) -> None:
    entry = {"names": ["桥北"], "area": "a1"} | wrong
    with pytest.raises(ValueError, match="places"):
        GazetteerFile.model_validate({"near_km": 3, "places": [entry]})


@given(st.text())
def test_no_address_raises(address: str) -> None:
    PLACES.find(address)


def test_the_shipped_gazetteer_knows_every_street_by_a_point() -> None:
    areas = load_pack("pukou").district.areas
    streets = {code for code, title in areas.items() if title.endswith("街道")}
    assert {entry.area for entry in SHIPPED_FILE.places if entry.lat is not None} == streets
    assert not any(entry.exact for entry in SHIPPED_FILE.places)
