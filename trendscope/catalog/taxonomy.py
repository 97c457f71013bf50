"""Google's product taxonomy of what is worn: its numbers, and its broad names.

Numbers of the version 2021-09-21 (google.com/basepages/producttype/taxonomy-with-ids.en-US.txt),
which is the latest. Shopify's and shops' own paths are read by their words.
"""

from __future__ import annotations

from trendscope.catalog.vocabulary import ANY, BAG, NONE, OTHER, SHOES, TOPS, Kind

_TABLE = """
182 Baby & Toddler Clothing; 5322 Activewear; 3951 American Football Pants; 3128 Bicycle Bibs;
3455 Bicycle Jerseys; 3188 Bicycle Shorts & Briefs; 3729 Bicycle Tights; 5378 Boxing Shorts;
5461 Hunting & Fishing Vests; 5552 Hunting & Tactical Pants; 6006 Motorcycle Jackets;
7003 Motorcycle Pants; 5463 Motorcycle Suits; 2271 Dresses; 5182 One-Pieces;
5250 Jumpsuits & Rompers; 5490 Leotards & Unitards; 7132 Overalls; 203 Outerwear;
5598 Coats & Jackets; 5514 Rain Pants; 3066 Rain Suits; 5909 Snow Pants & Suits; 1831 Vests;
7313 Outfit Sets; 204 Pants; 212 Shirts & Tops; 207 Shorts; 1581 Skirts; 6229 Knee-Length Skirts;
6228 Long Skirts; 2331 Mini Skirts; 5344 Skorts; 208 Sleepwear & Loungewear; 5713 Loungewear;
5513 Nightgowns; 2580 Pajamas; 2302 Robes; 1594 Suits; 5183 Pant Suits; 1516 Skirt Suits;
1580 Tuxedos; 211 Swimwear; 5388 Traditional & Ceremonial Clothing; 213 Underwear & Socks;
214 Bras; 215 Hosiery; 1772 Lingerie; 1578 Shapewear; 209 Socks; 2745 Undershirts; 2562 Underwear;
2306 Uniforms; 2292 White Coats; 5441 Wedding & Bridal Party Dresses; 5330 Bridal Party Dresses;
5329 Wedding Dresses; 167 Clothing Accessories; 169 Belts; 170 Gloves & Mittens;
171 Hair Accessories; 173 Hats; 176 Neckties; 177 Scarves & Shawls; 178 Sunglasses;
184 Costumes & Accessories; 6551 Handbags, Wallets & Cases; 6552 Handbag & Wallet Accessories;
3032 Handbags; 2668 Wallets & Money Clips; 188 Jewelry; 201 Watches; 1933 Shoe Accessories;
187 Shoes; 5181 Luggage & Bags; 100 Backpacks; 101 Briefcases; 103 Duffel Bags; 104 Fanny Packs;
105 Garment Bags; 106 Messenger Bags; 107 Suitcases; 108 Cosmetic & Toiletry Bags; 549 Diaper Bags;
5608 Shopping Totes
"""

NUMBERS: dict[str, str] = dict(row.split(" ", 1) for row in " ".join(_TABLE.split()).split("; "))
"""Names by number; numbers that are not listed say nothing about the category."""

_MEANINGS: tuple[tuple[Kind, str], ...] = (
    (TOPS, "shirts & tops; clothing tops; tops; tops & tees; tops & blouses"),
    (SHOES, "shoes; shoes & accessories"),
    (
        Kind(frozenset((BAG, OTHER))),
        "handbags, wallets & cases; luggage & bags; bags & accessories",
    ),
    (ANY, "outfit sets; sleepwear & loungewear; traditional & ceremonial clothing; sporting goods"),
    (
        NONE,
        "clothing accessories; accessories; hair accessories; shoe accessories; "
        "handbag & wallet accessories; costumes & accessories; underwear & socks; "
        "baby & toddler clothing; animals & pet supplies; home & garden; toys & games; "
        "health & beauty; food, beverages & tobacco; arts & entertainment",
    ),
)
PATHS = {name: kind for kind, names in _MEANINGS for name in names.split("; ")}
"""Names of a taxonomy that mean something else or more than their words, in lower case."""
