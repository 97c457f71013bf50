"""The English words for garments, and the categories that each of them allows.

Words are given in the singular; the plural is understood. A word of one category decides; one of
several leaves it to the picture; one of none is known to be none of the ten.
"""

from __future__ import annotations

from dataclasses import dataclass

from trendscope.categories import CATEGORIES, match_category

OTHER = "none of the ten"
"""Stands beside the ten categories where words may mean something else."""


def category_or_other(text: str) -> str | None:
    """The category that a person writes, `OTHER` for ``none``; None if it is neither."""
    return OTHER if text.strip().casefold() in ("none", OTHER) else match_category(text)


TOP, TROUSER, PULLOVER, DRESS, COAT, SANDAL, SHIRT, SNEAKER, BAG, BOOT = CATEGORIES


@dataclass(frozen=True)
class Kind:
    """The meaning of a word.

    Attributes:
        categories: Categories that it may be, of the ten and `OTHER`.
        approximate: Whether the category is only the nearest one.
        weak: Whether it counts only without any other word: ``crew neck`` alone is a garment.
    """

    categories: frozenset[str]
    approximate: bool = False
    weak: bool = False


def _kind(*categories: str, approximate: bool = False, weak: bool = False) -> Kind:
    return Kind(frozenset(categories), approximate, weak)


ANY = _kind(*CATEGORIES, OTHER)
NONE = _kind(OTHER)
SHOES = _kind(SANDAL, SNEAKER, BOOT, OTHER)
TOPS = _kind(TOP, SHIRT, PULLOVER)

_WORDS: tuple[tuple[Kind, str], ...] = (
    (
        _kind(TOP),
        "t shirt, tshirt, tee, tee shirt, baby tee, top, crop top, tank, tank top, tube top, "
        "halter top, cami, cami top, camisole, singlet, longsleeve tee, muscle tee, bandeau top, "
        "corset top, knit top, graphic tee, ringer tee, raglan tee, v neck tee, lace top, bra top",
    ),
    (_kind(TOP, approximate=True), "polo shirt, polo t shirt, henley shirt"),
    (_kind(TOP, approximate=True, weak=True), "polo, henley"),
    (
        _kind(TROUSER),
        "trouser, pant, pants, jean, jeans, legging, jegging, chino, jogger, sweatpant, slack, "
        "cargo pant, cargo trouser, dress pant, track pant, trackpant, yoga pant, palazzo, "
        "culotte, capri, corduroys, khakis, tracksuit bottom, jogging bottom, dungaree jean, "
        "bell bottom, treggings, harem pant, suit trouser, jodhpur",
    ),
    (
        _kind(TROUSER, approximate=True),
        "shorts, bermuda, bermuda short, bike short, cycling short, denim short, cargo short, "
        "running tights, hot pants",
    ),
    (_kind(TROUSER, weak=True), "cargos, flares, bootcut, cords, sweats"),
    (
        _kind(PULLOVER),
        "pullover, sweater, jumper, hoodie, hoody, hooded sweatshirt, sweatshirt, knit sweater, "
        "sweat shirt, sweat top, turtleneck sweater, jumper top, quarter zip pullover, "
        "half zip pullover, sweater knit",
    ),
    (_kind(PULLOVER, weak=True), "turtleneck, roll neck, rollneck, quarter zip, half zip"),
    (_kind(PULLOVER, weak=True), "turtle neck, mock neck"),
    (_kind(PULLOVER, COAT), "cardigan, fleece, coatigan, cardi, poncho, cape, full zip"),
    (_kind(PULLOVER, TOP), "sweater vest, knit vest, sweater tank, jersey, football shirt"),
    (_kind(PULLOVER, TOP, SHIRT), "rugby shirt, knitwear, thermal shirt, base layer"),
    (_kind(PULLOVER, TOP, weak=True), "crewneck, crew neck, long sleeve, longsleeve"),
    (_kind(PULLOVER, TOP, SHIRT, weak=True), "knit"),
    (
        _kind(DRESS),
        "dress, sundress, minidress, gown, ball gown, wedding gown, evening gown, shirtdress, "
        "slip dress, bodycon, maxi dress, wrap dress, pinafore dress, dirndl dress, frock, kaftan "
        "dress, sweater dress, bridesmaid dress",
    ),
    (_kind(DRESS, TOP, SHIRT), "tunic, kaftan, caftan"),
    (
        _kind(COAT),
        "coat, jacket, blazer, parka, anorak, windbreaker, raincoat, overcoat, peacoat, pea coat, "
        "trenchcoat, trench coat, topcoat, duffle coat, duffel coat, puffer jacket, down jacket, "
        "bomber jacket, biker jacket, outerwear, windcheater, sports coat, mackintosh, "
        "varsity jacket, shirt jacket, rain jacket",
    ),
    (_kind(COAT, weak=True), "puffer, bomber, trench, windstopper, softshell, waxed jacket"),
    (_kind(COAT, SHIRT), "shacket, overshirt, shirt jacket shacket"),
    (_kind(COAT, TOP), "vest, puffer vest, quilted vest, denim vest, fleece vest"),
    (
        _kind(SHIRT),
        "shirt, blouse, button down, button up, dress shirt, oxford shirt, flannel shirt, "
        "button down shirt, button up shirt, shirt blouse, chambray shirt, bowling shirt, "
        "guayabera, hawaiian shirt, aloha shirt, camp shirt",
    ),
    (_kind(SHIRT, weak=True), "flannel, chambray"),
    (
        _kind(SHIRT, TOP),
        "undershirt, training shirt, running shirt, workout shirt, compression shirt, gym shirt, "
        "graphic shirt, blouse top, shirt top, sleep shirt, performance shirt, cycling shirt, "
        "crew neck shirt, crewneck shirt, v neck shirt, yoga shirt",
    ),
    (
        _kind(SANDAL),
        "sandal, flip flop, slide sandal, slides, sliders, thong sandal, wedge sandal, huaraches, "
        "gladiator, gladiator sandal, jandal, pool slide, birkenstock",
    ),
    (_kind(SANDAL, SNEAKER), "mule, espadrille, water shoe"),
    (
        _kind(SNEAKER),
        "sneaker, trainer, running shoe, tennis shoe, basketball shoe, training shoe, gym shoe, "
        "skate shoe, plimsoll, athletic shoe, canvas shoe, trail runner, sport shoe, sports shoe, "
        "court shoe sneaker, walking shoe, high top sneaker, football trainer, cross trainer",
    ),
    (_kind(SNEAKER, weak=True), "high tops, low tops, kicks, runners"),
    (
        _kind(BAG),
        "bag, handbag, tote, backpack, rucksack, purse, clutch, satchel, crossbody bag, shoulder "
        "bag, duffel bag, duffle bag, messenger bag, hobo, hobo bag, fanny pack, bum bag, belt "
        "bag, holdall, weekender, briefcase, knapsack, daypack, tote bag, bucket bag, waist pack, "
        "baguette bag, pochette, minaudiere, top handle bag, book bag, shopper, gym bag, "
        "carryall, saddle bag, sling bag, bookbag, laptop bag, beach bag",
    ),
    (_kind(BAG, weak=True), "crossbody, cross body, duffel, duffle"),
    (
        _kind(BOOT),
        "boot, ankle boot, bootie, chelsea boot, combat boot, hiking boot, desert boot, chukka, "
        "sneaker boot, sock boot, work boot, shoe boot, winter boot, biker boot, chukka boot",
    ),
    (
        _kind(BOOT, approximate=True),
        "knee boot, knee high boot, thigh high boot, over the knee boot, riding boot, cowboy boot, "
        "western boot, tall boot, wellington, wellington boot, welly, wellies, rain boot, "
        "rainboot, snow boot, rubber boot, gumboot, ugg boot, galoshes, knee boots",
    ),
    (_kind(BOOT, weak=True), "chelsea, chelseas, dr martens"),
    (
        SHOES,
        "shoe, heel, heels, pump, stiletto, clog, wedge, platform, footwear, slip ons, slip on",
    ),
    (SHOES, "court shoe, mary jane, ballet shoe, trainers sandal"),
    (Kind(frozenset((SHIRT, *SHOES.categories)), weak=True), "oxford"),
    (
        ANY,
        "bodysuit, kimono, corset, bustier, waistcoat, gilet, body warmer, bodywarmer, co ord, "
        "coord, outfit, twinset, twin set, loungewear, activewear, sportswear",
    ),
    (
        NONE,
        # other clothes
        "skirt, skort, jumpsuit, romper, playsuit, overall, dungaree, dungarees, leotard, unitard, "
        "suit, tuxedo, tracksuit, pantsuit, boiler suit, wetsuit, swimsuit, bikini, bikini top, "
        "bikini bottom, tankini, swimwear, swim short, swim shorts, swim trunk, board short, "
        "boardshort, swim top, one piece, sarong, coverup, cover up, bra, sports bra, bralette, "
        "t shirt bra, panty, panties, brief, boxer, boxer brief, boxer short, boy short, boyshort, "
        "boxers, underwear, underpants, thong, lingerie, shapewear, pajama, pyjama, pajama set, "
        "nightgown, nightdress, nightshirt, nightie, night gown, sleepwear, robe, bathrobe, "
        "dressing gown, house coat, tights, stocking, hosiery, sock, boot sock, leg warmer, sari, "
        "lehenga, costume, uniform, apron, hospital gown, graduation gown, lab coat, pettipants, "
        "petticoat, snowsuit, onesie, coverall, pajama pant, pajama top, pajama short, "
        "sleep short, "
        # shoes that are none of the three
        "loafer, brogue, derby, derby shoe, oxford shoe, moccasin, ballet flat, flats, ballerina, "
        "slipper, dress shoe, boat shoe, driving shoe, dance shoe, monk strap, ice skate, "
        "roller skate, ski boot, soccer cleat, cleat, golf shoe, football boot, rugby boot, "
        # worn or carried, and none of the ten
        "hat, cap, baseball cap, beanie, beret, headband, scarf, shawl, glove, mitten, belt, tie, "
        "necktie, bow tie, pocket square, cufflink, suspenders, sunglasses, glasses, goggles, "
        "watch, necklace, earring, bracelet, ring, brooch, anklet, pendant, jewelry, jewellery, "
        "wallet, cardholder, card holder, card case, coin purse, suitcase, luggage, umbrella, "
        "hair slide, hair clip, scrunchie, hair tie, keychain, keyring, key ring, lanyard, charm, "
        "bag charm, boot charm, bag strap, purse strap, handkerchief, bandana, clothing accessory, "
        "hair accessory, shoe accessory, bag accessory, mask, wig, face mask, waist trainer, "
        # bags that nobody wears
        "garment bag, suit bag, dress bag, shoe bag, boot bag, sleeping bag, bean bag, tea bag, "
        "trash bag, garbage bag, bin bag, punching bag, laundry bag, gift bag, dust bag, "
        "lunch bag, cosmetic bag, makeup bag, make up bag, toiletry bag, wash bag, travel bag set, "
        "produce bag, freezer bag, storage bag, golf bag, dog bag, body bag, air bag, "
        "bag organizer, bag organiser, purse organizer, bag holder, bag hook, bag insert, "
        "bag clip, "
        # for clothes, or only called after them
        "dress form, mannequin, coat hanger, hanger, coat rack, shoe rack, coat hook, coat tree, "
        "clothes rack, coat stand, boot tray, boot tree, shoe tree, boot jack, shoe horn, "
        "shoehorn, boot scraper, shoelace, boot lace, shoe lace, lace set, insole, boot liner, "
        "shoe polish, boot polish, shoe cleaner, cleaner, protector, spray, shoe cream, "
        "shoe brush, lint roller, "
        "fabric shaver, steamer, iron, stretcher, trouser press, pant hanger, shirt stay, "
        "collar stay, collar extender, patch, pin, pattern, sewing pattern, fabric, zipper, "
        "button pack, gift card, gift box, giftcard, voucher, poster, print poster, sticker, mug, "
        "book, notebook, phone case, pillow, cushion, blanket, rug, towel, curtain, candle, "
        "perfume, nail polish, base coat, top coat, primer, paint, figurine, "
        "ornament, doll, doll dress, doll clothes, doll shoe, toy, puzzle, shin guard, "
        "life jacket, "
        "life vest, safety vest, car seat, chair, sofa, lamp, jacket potato, book jacket, "
        "water bottle jacket, salad dressing, window dressing, boot camp, dvd, cd, vinyl, "
        "pump bottle, heat pump, bike pump, clutch kit, clutch cable, trainer aid, potty trainer, "
        "balance trainer, tank cleaner, fish tank, water tank, tank toy, table top, platform bed, "
        "tee marker, golf tee, slide projector, slide rule, playground slide, car boot organiser, "
        "boot mat, boot liner mat, dress up set, dress up kit, dress code sign, shirt folder, "
        "sneaker cleaner, sneaker shield, crease protector, tote hook, strap extender",
    ),
)

_SAYS_NOTHING = (
    "boot cut, boot leg, bootcut jean length, paper bag, paperbag, paper bag waist, top handle, "
    "top stitch, top stitched, top stitching, top zip, top grain, top quality, top rated, "
    "tie dye, tie front, tie neck, tie waist, tie up, tie back, tie side, tie belt, "
    "cap sleeve, cap toe, patch pocket, pin tuck, pin stripe, o ring, d ring, slide on, "
    "shirt collar, shirt sleeve, jacket collar, coat pocket, jean style, t bar, "
    "t strap, dress up, dress down, sweater weather, belt loop, heel height, block heel, "
    "kitten heel, stiletto heel, high heel, low heel, platform sole, wedge heel, chunky heel, "
    "shoe size, tee time, coat of arms, ring pull, robe style, suit yourself, ankle tie, lace up, "
    "short sleeve, button front, zip top, roll top, fold over, sweater knit fabric, "
    "baby blue, baby pink, baby doll, baby alpaca, baby cashmere, baby cord, baby lock, "
    "kid suede, kid leather, kid mohair, kidskin, iron free, non iron, easy iron, no iron, "
    "ballet pink, ring spun, flat front, wrap tie, hat trick, jean jacket style, boxer fit, "
    "print book, polo neck, polo collar, tank strap, camisole strap, pump up, brief style"
)


def _plural(phrase: str) -> str:
    if phrase.endswith(("s", "x", "ch", "sh")):
        return f"{phrase}es"
    consonant_y = phrase.endswith("y") and phrase[-2] not in "aeiou"
    return f"{phrase[:-1]}ies" if consonant_y else f"{phrase}s"


def _phrases(text: str) -> list[tuple[str, ...]]:
    singular = [phrase.strip() for phrase in text.split(",")]
    return [tuple(form.split()) for one in singular for form in (one, _plural(one))]


PHRASES: dict[tuple[str, ...], Kind | None] = {
    **dict.fromkeys(_phrases(_SAYS_NOTHING)),
    **{words: kind for kind, text in _WORDS for words in _phrases(text)},
}
"""What words in a row mean; None where together they mean no garment (``boot cut``)."""

LONGEST = max(map(len, PHRASES))

CHILDREN = frozenset(
    "kid kids girls boys toddler toddlers infant infants newborn newborns children childrens baby "
    "babies youth".split()
)
"""Words for whom a thing is made that is not for the customers whose photos are looked at."""

DECISIVE = frozenset(
    _phrases("sewing pattern, phone case, iphone case, poster, sticker, dog costume")
)
"""Things that no garment named after them changes."""

PICTURED = frozenset("print printed mom dad mum lover graphic motif face embroidered eye".split())
"""Words behind an animal that say it is only shown."""

ANIMALS = frozenset("dog dogs cat cats pet pets puppy puppies kitten horse".split())
