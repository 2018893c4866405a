"""The text that is read: an endless harbour-town chronicle from word lists of our own, and no sentence of it twice."""

import random
from collections.abc import Iterator


def _phrases(text: str) -> list[str]:
    """Phrases that stand between bars or on lines of their own."""
    return text.replace("\n", "|").split("|")


WHO = _phrases("""the harbour clerk|the night ferryman|our youngest baker|the retired surveyor|a travelling piano tuner|the miller's cousin
the new schoolteacher|a patient beekeeper|the lighthouse keeper|the cheerful postman|an elderly watchmaker|the village doctor
the deputy gardener|a visiting geologist|the orchestra's cellist|the quiet librarian|a stubborn carpenter|the market inspector
the apprentice glazier|my former neighbour|the tram conductor|a young cartographer|the hotel porter|the bridge engineer
the weather observer|a sleepy shepherd|the museum guide|the amateur astronomer|the harbour pilot|a careful bookbinder
the chess champion|the railway signalman|the florist's nephew|a wandering painter|the choir director|the cheese merchant
the parish archivist|an absent-minded chemist|the canal digger|the stable hand""")

DID = _phrases("""repaired {}|polished {} until it shone|carried {} home|measured {} twice|sketched {} in pencil|finally sold {}
borrowed {} without asking|described {} at length|wrapped {} in newspaper|tested {} patiently|forgot {} completely
returned {} with thanks|painted {} dark green|hid {} from the children|admired {} from a distance|examined {} by candlelight
lost {} in an afternoon|dragged {} uphill|photographed {} for the council|traded {} for six lemons|mended {} with copper wire
lifted {} onto the cart|studied {} for a whole week|cleaned {} with vinegar|shipped {} across the bay|unpacked {} with great care
insured {} against storms|rescued {} from the flood|weighed {} on brass scales|catalogued {} under the letter m
oiled and tightened {}|offered {} to the mayor""")

WHAT = _phrases("""the cracked lantern|a barrel of salted herring|the brass telescope|two folding chairs|the missing ledger|a crate of pears
the broken accordion|a bundle of old maps|the church bell's rope|a jar of dark honey|the wooden staircase|a pair of snowshoes
the copper kettle|a basket of wet laundry|the painted signboard|a roll of sailcloth|the glass weather vane|a box of clock springs
the garden gate|an enormous pumpkin|the stained oak table|a sack of barley|the silver whistle|a tin of blue enamel
the carved walking stick|a heap of roof tiles|the portable stove|a tray of seedlings|the rusty anchor|a coil of telephone cable
the velvet curtain|a stack of blank notebooks|the squeaking wheelbarrow|a bottle of walnut ink|the quilted blanket
a spare bicycle wheel""")

WHERE = _phrases("""behind the boathouse|under the railway arches|beside the frozen pond|at the edge of the orchard|in the upper gallery
near the old quarry|on the south pier|above the pharmacy|across from the fountain|inside the grain store|along the towpath
below the observatory|outside the post office|next to the vegetable stalls|beyond the second lock|in the chapel courtyard
on the windy headland|between the two bridges|at the far end of the platform|under a striped awning|in the draughty workshop
halfway up the valley|by the customs house|over the tailor's shop|among the fishing nets|in the empty ballroom""")

WHEN = _phrases("""before the rain came|on the first warm Sunday|just after midnight|during the autumn fair|while the kettle boiled
long before breakfast|in the middle of March|as soon as the fog lifted|on a grey Thursday|when the market closed
at the end of the holidays|shortly after supper|during the power cut|in the week of the regatta|after the evening train had gone
when nobody was watching|on the shortest day of winter|between two showers|late in the season|as the tide turned
at half past seven|the morning after the wedding|while the band was tuning up|in the spring of the great flood""")

REMARK = _phrases("""nobody thought to ask why|the whole street talked about it|it cost less than a loaf of bread|the dog did not approve
everyone agreed that it was sensible|the children wanted to see it again|there was no hurry at all|it took most of the day
the wind did the rest|the bill arrived a month later|that was the last we heard of it|a small crowd had gathered
the newspaper printed a correction|it smelled faintly of oranges|the weather was kind for once|the neighbours pretended not to notice
the cat slept through everything|it turned out to be the wrong one|one of the wheels came loose|we laughed about it for years
the letter explained very little|someone had left the window open|the soup went cold|the answer was written on the back
it was quieter than usual|the ladder was two rungs short|the ferry waited a few minutes|a light was still burning upstairs""")

QUALITY = _phrases("""patience|good rope|a steady hand|fresh paint|an early start|dry weather|plain arithmetic|a second opinion
strong coffee|honest advice|quiet company|a sharp pencil|common sense|warm gloves|a borrowed mule|careful planning
plenty of sunlight|an old recipe|a little music|clean water""")

NUMBER = _phrases("two|three|four|five|seven|nine|eleven|twelve|fifteen|twenty|thirty|forty")
THINGS = _phrases("""oars|ledgers|geese|umbrellas|lanterns|cheeses|buttons|violins|chimneys|sacks of flour|picture frames|garden benches
paper kites|tea chests|ship's biscuits|tin soldiers|apple trees|clay pots|goats|hat boxes""")

SENTENCES = (
    "{when}, {who} {did} {where}.",
    "{who} {did} {when}, and {remark}.",
    "{where} stood {number} {things}, and {remark}.",
    "if {who} had trusted {quality} more than {quality2}, {remark}.",
    "what {who} needed {where} was {quality}, not {number} {things}.",
    "{who} met {who2} {where}, but {remark}.",
    "did {who} really count {number} {things} {where}?",
    "we were told that {who} {did} {where}.",
    "{remark}, although {who} had asked for {number} {things}.",
    "with {quality} and {quality2}, {who} {did}.",
    "{number} {things} arrived {when}, addressed to {who}.",
    "nothing pleases {who} like {quality}, especially {where}.",
    "{who} kept {what} {where}, where {remark}.",
    "because {remark}, {who} and {who2} went home {when}.",
    "{when}, {remark}.",
    "{who} liked {things}.",
    "{who} sold {number} {things}.",
    "{who} had {quality}.",
    "every year {who} brings {what} and {number} {things} to {who2}.",
)


def _sentence(rng: random.Random) -> str:
    who, who2 = rng.sample(WHO, 2)
    quality, quality2 = rng.sample(QUALITY, 2)
    text = rng.choice(SENTENCES).format(
        who=who,
        who2=who2,
        quality=quality,
        quality2=quality2,
        did=rng.choice(DID).format(rng.choice(WHAT)),
        what=rng.choice(WHAT),
        where=rng.choice(WHERE),
        when=rng.choice(WHEN),
        remark=rng.choice(REMARK),
        number=rng.choice(NUMBER),
        things=rng.choice(THINGS),
    )
    return text[0].upper() + text[1:]


class Chronicle:
    """Hands out sentences passage by passage and remembers every one, so that none is ever handed out twice."""

    def __init__(self) -> None:
        self._spoken: set[str] = set()

    def sentences(self, passage: str) -> Iterator[str]:
        """Endless sentences of a passage; its name is the seed, so a new passage leaves the others' text as it is."""
        rng = random.Random(passage)
        while True:
            sentence = _sentence(rng)
            if sentence not in self._spoken:
                self._spoken.add(sentence)
                yield sentence
