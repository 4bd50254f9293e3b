"""The viewers: simulated, every one of them. No real person's behaviour is in this model.

A viewer has a hidden taste (genres, kinds of story, era, acclaim, popularity, maturity, directors). Which films the
viewer saw is drawn from a choice model: the taste gives each film a utility, Gumbel noise is added, and the n best are
seen (which is sampling n films without replacement from the softmax of the utilities). The query features are what a
service could know: a noisy questionnaire (`taste`), a stated favourite genre, a household, a birth year, how many films
a month, and the titles seen lately. The first eight viewers are described by hand for the demo.
"""
import numpy as np

GENRES = ['Action', 'Adventure', 'Black Comedy', 'Comedy', 'Documentary', 'Drama', 'Horror', 'Musical',
          'Romantic Comedy', 'Thriller/Suspense', 'Western', 'Concert/Performance']
TYPES = ['Contemporary Fiction', 'Dramatization', 'Factual', 'Fantasy', 'Historical Fiction', 'Kids Fiction',
         'Multiple Creative Types', 'Science Fiction', 'Super Hero']
RATINGS = ['G', 'PG', 'PG-13', 'R', 'NC-17', 'Not Rated', 'Open']
HOUSEHOLDS = ['single', 'couple', 'family', 'shared']
MATURITY = {'G': -2.0, 'PG': -1.0, 'PG-13': 0.0, 'R': 1.0, 'NC-17': 1.5}

# The questionnaire: eight answers of -1 (never) to 1 (love it), in this order.
TASTE = ['action', 'comedy', 'drama', 'horror', 'romance', 'thriller', 'fantasy and science fiction', 'new releases']

DESCRIBED_CHANCE = 0.6  # the described viewers keep closer to their taste, so that what they saw fits the description
DESCRIBED = [
    dict(id='mara', description='Recent horror, the scarier the better',
         genres={'Horror': 6, 'Thriller/Suspense': 1.5, 'Romantic Comedy': -3, 'Musical': -3}, era=(2005, 7),
         maturity=0.8, acclaim=0.2, popularity=0.4, household='shared', born=1986, rate=9),
    dict(id='otto', description='Old Hollywood before 1970: epics, musicals and westerns',
         genres={'Western': 3, 'Musical': 3, 'Drama': 1.5, 'Adventure': 1, 'Horror': -2}, era=(1953, 9),
         maturity=-0.2, acclaim=0.9, popularity=0.2, household='couple', born=1941, rate=6),
    dict(id='lena', description='Romantic comedies of the 1990s and 2000s',
         genres={'Romantic Comedy': 6, 'Comedy': 1, 'Musical': 1, 'Horror': -4, 'Action': -2}, era=(2001, 7),
         maturity=-0.1, acclaim=0.3, popularity=0.7, household='couple', born=1980, rate=5),
    dict(id='sami', description='Big science fiction, superheroes and effects, the newer the better',
         genres={'Action': 2.5, 'Adventure': 2.5, 'Drama': -1.5, 'Romantic Comedy': -3},
         types={'Science Fiction': 4, 'Super Hero': 4, 'Fantasy': 1}, era=(2006, 8),
         maturity=0.1, acclaim=0.4, popularity=1.4, household='single', born=1990, rate=7),
    dict(id='ruth', description='Family evenings: animation and stories for children, nothing above PG',
         genres={'Adventure': 2, 'Musical': 1.5, 'Comedy': 0.5, 'Horror': -5, 'Thriller/Suspense': -3},
         types={'Kids Fiction': 5, 'Fantasy': 1}, era=(2003, 10),
         maturity=-1.6, acclaim=0.4, popularity=0.6, household='family', born=1976, rate=4),
    dict(id='paul', description='Dark, acclaimed thrillers, with a soft spot for David Fincher and Brian De Palma',
         genres={'Thriller/Suspense': 4.5, 'Drama': 1, 'Musical': -2, 'Romantic Comedy': -3}, era=(1994, 14),
         maturity=0.9, acclaim=0.9, popularity=0.6, household='single', born=1968, rate=8,
         directors=['Martin Scorsese', 'Brian De Palma', 'Quentin Tarantino', 'David Fincher']),
    dict(id='ines', description='Little-known documentaries and true stories, well reviewed',
         genres={'Documentary': 6, 'Drama': 0.5, 'Action': -3, 'Horror': -3}, types={'Factual': 3, 'Dramatization': 1.5},
         era=(2003, 9), maturity=0.0, acclaim=1.0, popularity=-0.5, household='single', born=1972, rate=14),
    dict(id='theo', description='Comedies with an edge, the blacker the better',
         genres={'Black Comedy': 5.5, 'Comedy': 2.5, 'Western': -2, 'Action': -1}, era=(1998, 12),
         maturity=0.7, acclaim=0.7, popularity=0.3, household='shared', born=1979, rate=7),
]


def random_taste(rng, directors):
    """One viewer's hidden taste, with the facts about the person that go with it."""
    genre = rng.normal(0, 0.5, len(GENRES))
    loved = rng.choice(len(GENRES), rng.integers(1, 4), replace=False, p=GENRE_APPEAL)
    genre[loved] += rng.uniform(2, 4.5, len(loved))
    genre[rng.choice(len(GENRES), 2, replace=False)] -= rng.uniform(1, 3, 2)
    kind = rng.normal(0, 0.5, len(TYPES))
    kind[rng.integers(len(TYPES))] += rng.uniform(1, 3)
    household = rng.choice(HOUSEHOLDS, p=[0.3, 0.3, 0.25, 0.15])
    maturity = rng.normal(0.2, 0.5)
    if household == 'family':
        maturity -= 1.2
        kind[TYPES.index('Kids Fiction')] += rng.uniform(1, 4)
    born = int(np.clip(rng.normal(1974, 12), 1935, 1995))
    popularity = rng.normal(0.7, 0.45)
    return dict(genre=genre, type=kind, household=household, maturity=maturity, born=born,
                era=(min(2009.0, born + 24 + rng.normal(0, 7)), rng.uniform(6, 16)), acclaim=abs(rng.normal(0.5, 0.3)),
                popularity=popularity, rate=int(np.clip(rng.lognormal(1.9 - 0.6 * popularity, 0.5), 1, 40)),
                directors=list(rng.choice(directors, rng.integers(0, 4), replace=False)))


GENRE_APPEAL = np.array([5, 4, 1.5, 5, 1, 5, 3, 1, 3, 4, 1, 0.2])
GENRE_APPEAL /= GENRE_APPEAL.sum()


def described_taste(spec):
    return dict(genre=np.array([spec['genres'].get(g, 0.0) for g in GENRES], float),
                type=np.array([spec.get('types', {}).get(t, 0.0) for t in TYPES], float),
                household=spec['household'], maturity=spec['maturity'], born=spec['born'], era=spec['era'],
                acclaim=spec['acclaim'], popularity=spec['popularity'], rate=spec['rate'],
                directors=spec.get('directors', []))


def film_traits(films):
    """The films as the choice model sees them; an unknown number counts as the average."""
    def column(name):
        values = np.array([film[name] for film in films], float)
        return np.where(values < 0, values[values >= 0].mean(), values)
    votes = np.array([max(film['imdb_votes'], 10) for film in films], float)
    return dict(
        genre=np.array([[film['genre'] == g for g in GENRES] for film in films], float),
        type=np.array([[film['creative_type'] == t for t in TYPES] for film in films], float),
        maturity=np.array([MATURITY.get(film['mpaa'], 0.3) for film in films]), year=column('year'),
        acclaim=column('imdb_rating') - 6.3, popularity=np.log10(votes) - 4,
        director=np.array([film['director'] for film in films]))


def utility(taste, traits):
    """[films]: what each film is worth to the viewer, before chance."""
    middle, width = taste['era']
    era = -np.minimum(0.5 * ((traits['year'] - middle) / width) ** 2, 7)
    return (traits['genre'] @ taste['genre'] + traits['type'] @ taste['type'] + era
            + taste['acclaim'] * traits['acclaim'] + taste['popularity'] * traits['popularity']
            + taste['maturity'] * traits['maturity'] + 2.5 * np.isin(traits['director'], taste['directors']))


def questionnaire(taste, noise):
    """The eight answers of `TASTE`."""
    g, t = (dict(zip(names, taste[key])) for names, key in ((GENRES, 'genre'), (TYPES, 'type')))
    raw = np.array([
        (g['Action'] + g['Adventure']) / 4, (g['Comedy'] + g['Black Comedy']) / 4, g['Drama'] / 3, g['Horror'] / 4,
        g['Romantic Comedy'] / 4, g['Thriller/Suspense'] / 4, (t['Science Fiction'] + t['Fantasy'] + t['Super Hero']) / 4,
        (taste['era'][0] - 1992) / 14])
    return np.round(np.clip(raw + noise, -1, 1), 2).tolist()


def make_viewers(films, count, rng):
    """`count` viewers: {id, description?, features, worth, seen}.

    `worth` [films] is the utility before chance, `seen` the indexes of films in the order watched.
    """
    traits = film_traits(films)
    names, counts = np.unique(traits['director'][traits['director'] != ''], return_counts=True)
    known = names[counts >= 4]
    viewers = []
    for i in range(count):
        spec = DESCRIBED[i] if i < len(DESCRIBED) else None
        taste = described_taste(spec) if spec else random_taste(rng, known)
        worth = utility(taste, traits)
        chance = rng.gumbel(size=len(films)) * (DESCRIBED_CHANCE if spec else 1)
        seen = np.argsort(-(worth + chance))[:40 if spec else rng.integers(30, 81)]
        stated = taste['genre'] + (0 if spec else rng.normal(0, 0.8, len(GENRES)))
        viewer_id = spec['id'] if spec else f'v{i:04d}'
        viewers.append(dict(id=viewer_id, description=spec and spec['description'], worth=worth,
                            seen=rng.permutation(seen), features=dict(
            viewer_id=viewer_id, favourite_genre=GENRES[int(np.argmax(stated))], household=str(taste['household']),
            birth_year=taste['born'], films_per_month=taste['rate'],
            taste=questionnaire(taste, 0 if spec else rng.normal(0, 0.2, len(TASTE))))))
    return viewers
