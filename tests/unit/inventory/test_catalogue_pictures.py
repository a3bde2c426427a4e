"""The pictures of the demo's products are among those that the page has."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from inventory_service.seed import DEMO_CATALOGUE, DEMO_PRODUCTS
from orderstream_local.layout import ROOT

PICTURES = ROOT / "web" / "public" / "products.svg"
SYMBOL = "{http://www.w3.org/2000/svg}symbol"


def test_every_described_product_has_a_picture() -> None:
    symbols = {each.get("id") for each in ET.parse(PICTURES).iter(SYMBOL)}  # noqa: S314 - it is ours
    assert {each.picture for each in DEMO_CATALOGUE} | {"box"} == symbols


def test_every_demo_product_is_described() -> None:
    assert {each.product_id for each in DEMO_CATALOGUE} == {product_id for product_id, _ in DEMO_PRODUCTS}
