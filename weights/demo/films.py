"""The films: real data of the npm package `vega-datasets` (movies.json), cleaned into rows of candidate features.

The file is a teaching set with intended faults. What is mended here, and nothing else:
- numeric titles ("300", "1776") become strings; the one film without a title is left out;
- titles whose Latin-1 bytes were once read as Mac Roman ("LÈon") are read back ("Léon");
- two-digit years that were read as 20xx (films of 1915 to 1946) get their century back;
- 31 December 1969 stands for "no date", so the year is unknown.
A missing text is the empty string, a missing number is -1: the candidate tower fills it in its graph.
"""
import json
import re
import unicodedata

LAST_YEAR = 2011  # nothing in the file was released later


def title_of(raw):
    title = str(raw).strip()
    if title.isascii():
        return title
    try:
        return title.encode('mac_roman').decode('cp1252')
    except UnicodeError:
        return title


def year_of(date):
    if date == 'Dec 31 1969':
        return -1
    year = int(date[-4:])
    return year - 100 if year > LAST_YEAR else year


def slug_of(title, year):
    """A stable id: the title in ASCII and the year, e.g. `leon-1994`."""
    plain = unicodedata.normalize('NFKD', title.replace("'", '')).encode('ascii', 'ignore').decode().lower()
    return f"{re.sub(r'[^a-z0-9]+', '-', plain).strip('-')}-{year if year > 0 else 'undated'}"


def number(raw):
    return -1 if raw is None else raw


def load_films(path):
    """Rows in the file's order. `id` is for people and indexes, `film_id` is the model's feature; they are equal."""
    films, taken = [], {}
    for raw in json.loads(path.read_text('utf-8')):
        if raw['Title'] is None:
            continue
        title, year = title_of(raw['Title']), year_of(raw['Release Date'])
        slug = slug_of(title, year)
        taken[slug] = taken.get(slug, 0) + 1
        film_id = slug if taken[slug] == 1 else f'{slug}-{taken[slug]}'
        films.append({
            'id': film_id,
            'film_id': film_id,
            'title': title,
            'genre': raw['Major Genre'] or '',
            'creative_type': raw['Creative Type'] or '',
            'director': raw['Director'] or '',
            'mpaa': raw['MPAA Rating'] or '',
            'year': year,
            'imdb_rating': number(raw['IMDB Rating']),
            'imdb_votes': number(raw['IMDB Votes']),
            'budget': number(raw['Production Budget']),
        })
    assert len({film['id'] for film in films}) == len(films)
    return films
