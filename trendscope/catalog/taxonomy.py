"""Google's product taxonomy of what is worn: its numbers, and its broad names.

Numbers of the version 2021-09-21 (google.com/basepages/producttype/taxonomy-with-ids.en-US.txt),
which is the latest. Shopify's and shops' own paths are read by their words.
"""

from __future__ import annotations

from trendscope.catalog.vocabulary import ANY, BAG, BOOT, NONE, OTHER, SANDAL, SNEAKER, TOPS, Kind

_TABLE = """
182 Baby & Toddler Clothing
5322 Activewear
3951 American Football Pants
3128 Bicycle Bibs
3455 Bicycle Jerseys
3188 Bicycle Shorts & Briefs
3729 Bicycle Tights
5378 Boxing Shorts
5461 Hunting & Fishing Vests
5552 Hunting & Tactical Pants
6006 Motorcycle Jackets
7003 Motorcycle Pants
5463 Motorcycle Suits
2271 Dresses
5182 One-Pieces
5250 Jumpsuits & Rompers
5490 Leotards & Unitards
7132 Overalls
203 Outerwear
5598 Coats & Jackets
5514 Rain Pants
3066 Rain Suits
5909 Snow Pants & Suits
1831 Vests
7313 Outfit Sets
204 Pants
212 Shirts & Tops
207 Shorts
1581 Skirts
6229 Knee-Length Skirts
6228 Long Skirts
2331 Mini Skirts
5344 Skorts
208 Sleepwear & Loungewear
5713 Loungewear
5513 Nightgowns
2580 Pajamas
2302 Robes
1594 Suits
5183 Pant Suits
1516 Skirt Suits
1580 Tuxedos
211 Swimwear
5388 Traditional & Ceremonial Clothing
213 Underwear & Socks
214 Bras
215 Hosiery
1772 Lingerie
1578 Shapewear
209 Socks
2745 Undershirts
2562 Underwear
2306 Uniforms
2292 White Coats
5441 Wedding & Bridal Party Dresses
5330 Bridal Party Dresses
5329 Wedding Dresses
167 Clothing Accessories
169 Belts
170 Gloves & Mittens
171 Hair Accessories
173 Hats
176 Neckties
177 Scarves & Shawls
178 Sunglasses
184 Costumes & Accessories
6551 Handbags, Wallets & Cases
6552 Handbag & Wallet Accessories
3032 Handbags
2668 Wallets & Money Clips
188 Jewelry
201 Watches
1933 Shoe Accessories
187 Shoes
5181 Luggage & Bags
100 Backpacks
101 Briefcases
103 Duffel Bags
104 Fanny Packs
105 Garment Bags
106 Messenger Bags
107 Suitcases
108 Cosmetic & Toiletry Bags
549 Diaper Bags
5608 Shopping Totes
"""

NUMBERS: dict[str, str] = dict(line.split(" ", 1) for line in _TABLE.strip().splitlines())
"""Names by number; numbers that are not listed say nothing about the category."""

_BAG_OR_NOT = Kind(frozenset((BAG, OTHER)))

PATHS: dict[str, Kind] = {
    "shirts & tops": TOPS,
    "clothing tops": TOPS,
    "tops": TOPS,
    "tops & tees": TOPS,
    "tops & blouses": TOPS,
    "shoes": Kind(frozenset((SANDAL, SNEAKER, BOOT, OTHER))),
    "handbags, wallets & cases": _BAG_OR_NOT,
    "luggage & bags": _BAG_OR_NOT,
    "bags & accessories": _BAG_OR_NOT,
    "shoes & accessories": Kind(frozenset((SANDAL, SNEAKER, BOOT, OTHER))),
    "outfit sets": ANY,
    "sleepwear & loungewear": ANY,
    "traditional & ceremonial clothing": ANY,
    "clothing accessories": NONE,
    "accessories": NONE,
    "hair accessories": NONE,
    "shoe accessories": NONE,
    "handbag & wallet accessories": NONE,
    "costumes & accessories": NONE,
    "underwear & socks": NONE,
    "baby & toddler clothing": NONE,
    "animals & pet supplies": NONE,
    "home & garden": NONE,
    "toys & games": NONE,
    "health & beauty": NONE,
    "food, beverages & tobacco": NONE,
    "arts & entertainment": NONE,
    "sporting goods": ANY,
}
"""Names of a taxonomy that mean something else or more than their words, in lower case."""
