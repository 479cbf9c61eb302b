#!/usr/bin/python3
"""Walks through docs/openapi.yaml on a real stack: provokes every status of every operation, and
holds each answer against what the document says of it.

openapi_walk.py PHASE DOCUMENT

PHASE is what the stack is like: each status belongs to one.
  plain      all is well, no limits, and nobody makes links without a key
  limited    LINKSHRINK_RATE_… are $RATE calls a minute
  stopped    PostgreSQL is
  nolog      LINKSHRINK_LOG is empty
  closedlog  the log may not be read

$PUBLIC and $OPERATIONS are the listeners, host:port. $KEYS has a line "name key" for each key: "all"
and "maker" with all scopes, and for each scope one that has all but that. $ONLY leaves out all other
operations.

A status that has no recipe below, or that none of its recipe's answers has, is a failure; so is an
answer that the document does not know. Which object goes into a path, and which of an example's ids
stand for objects, is in KINDS and MEMBERS.
"""

import collections
import http.client
import itertools
import json
import os
import re
import sys
import time
import urllib.parse

import openapi

# Whose number or code a path wants, by how it begins; the longest first.
KINDS = [('/urls/{id}', 'link'), ('/users/{id}', 'user'), ('/events/{id}', 'event'), ('/keys/{id}', 'key'),
         ('/r/{code}', 'link'), ('/{code}', 'link')]
# The same for members of bodies and columns of CSVs.
MEMBERS = {'user_id': 'user', 'url_id': 'link'}
UNKNOWN_ID, UNKNOWN_CODE = 999999999, 'unknown-code'
BODY_LIMIT, BULK_LIMIT = 64 << 10, 8 << 20
PATIENCE_S = 15

Answer = collections.namedtuple('Answer', 'status headers body')


def ask(listener, method, path, headers=None, body=None, length=True):
    """length False sends none, a number announces a body that does not come."""
    connection = http.client.HTTPConnection(os.environ[listener.upper()], timeout=20)
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in (headers or {}).items():
        connection.putheader(name, value)
    if length is True and (body is not None or method in ('POST', 'PUT', 'PATCH')):
        connection.putheader('Content-Length', str(len(body or b'')))
    elif length is not True and length is not False:
        connection.putheader('Content-Length', str(length))
    connection.endheaders(body)
    response = connection.getresponse()
    answer = Answer(response.status, response.headers, response.read())
    connection.close()
    return answer


def read_keys():
    return dict(line.split() for line in os.environ['KEYS'].splitlines() if line)


def encode(media, value):
    """The Content-Type and the bytes of an example."""
    if media == 'application/json':
        return media, json.dumps(value).encode()
    if media == 'text/csv':
        return media, value.encode()
    parts = ''.join(f'--walker\r\nContent-Disposition: form-data; name="{name}"; filename="{name}.csv"\r\n'
                    f'Content-Type: text/csv\r\n\r\n{content}\r\n' for name, content in value.items())
    return f'{media}; boundary=walker', f'{parts}--walker--\r\n'.encode()


def with_ids(value, ids):
    """An example with ids[kind] in the place of each id that stands for an object."""
    if isinstance(value, list):
        return [with_ids(item, ids) for item in value]
    if isinstance(value, dict):
        return {name: ids[MEMBERS[name]] if name in MEMBERS and member is not None else with_ids(member, ids)
                for name, member in value.items()}
    if isinstance(value, str) and '\n' in value:
        return csv_with_ids(value, ids)
    return value


def csv_with_ids(text, ids):
    """Good enough for the examples: the ids stand before the first cell in quotes."""
    lines = text.splitlines()
    columns = lines[0].split(',')
    for row, line in enumerate(lines[1:], 1):
        cells = line.split(',')
        for column, name in enumerate(columns):
            if name in MEMBERS and cells[column]:
                cells[column] = str(ids[MEMBERS[name]])
        lines[row] = ','.join(cells)
    return '\n'.join(lines) + '\n'


class Everything(collections.defaultdict):
    """The same id for each kind."""

    def __init__(self, number):
        super().__init__(lambda: number)


class Objects:
    """Makes what an operation needs, each time anew, with a key whose calls nobody looks at."""

    def __init__(self, key):
        self.headers = {'Authorization': f'Bearer {key}', 'Content-Type': 'application/json'}
        self.numbers = itertools.count(1)
        self.run = f'{time.time_ns():x}'

    def post(self, path, value):
        answer = ask('public', 'POST', path, self.headers, json.dumps(value).encode())
        if answer.status != 201:
            raise RuntimeError(f'POST {path} {value}: {answer.status} {answer.body[:300]}')
        return json.loads(answer.body)

    def make(self, kind, **more):
        name = f'{self.run}-{next(self.numbers)}'
        if kind == 'user':
            return self.post('/users', {'username': f'walker {name}', 'email': f'{name}@example.org'})
        if kind == 'link':
            return self.post('/urls', {'original_url': f'https://example.com/walk/{name}', **more})
        if kind == 'event':
            return self.post('/events', {'event_type': 'walked', 'url_id': self.make('link')['id']})
        return self.post('/keys', {'name': name, 'scopes': ['links:read']})

    def ids(self):
        return {'user': self.make('user')['id'], 'link': self.make('link')['id']}

    def delete(self, path):
        answer = ask('public', 'DELETE', path, self.headers)
        if answer.status != 200:
            raise RuntimeError(f'DELETE {path}: {answer.status} {answer.body[:300]}')

    def click(self):
        """The id of the event of a visit."""
        link = self.make('link')
        ask('public', 'GET', f'/{link["short_code"]}')
        path = f'/events?event_type=redirect&url_id={link["id"]}'
        for _ in range(PATIENCE_S * 10):
            answer = json.loads(ask('public', 'GET', path, self.headers).body)
            if answer.get('sample'):
                return answer['sample'][0]['id']
            time.sleep(0.1)
        raise RuntimeError(f'no visit in {path}: {answer}')


class Walker:
    def __init__(self, document):
        self.document = document
        self.keys = read_keys()
        self.objects = Objects(self.keys['maker'])
        self.faults = []
        self.answers = {}

    # ---- Requests

    def path(self, operation, thing=None, by='id'):
        """Its path, filled with a thing or with what nobody has."""
        code = thing['short_code'] if thing and 'short_code' in thing else UNKNOWN_CODE
        number = code if by == 'code' else thing['id'] if thing else UNKNOWN_ID
        return operation.path.replace('{id}', str(number)).replace('{code}', code)

    def new_path(self, operation, by='id', **more):
        kind = next((kind for begin, kind in KINDS if operation.path.startswith(begin)), None)
        return self.path(operation, self.objects.make(kind, **more) if kind else None, by)

    def send(self, operation, path, *, method=None, key='all', headers=None, body=None, length=True, listener=0):
        """The answer, judged."""
        head = {}
        if operation.scopes and key:
            head['Authorization'] = f'Bearer {self.keys.get(key, key)}'
        answer = ask(operation.listeners[listener], method or operation.method, path, {**head, **(headers or {})},
                     body, length)
        response = operation.responses.get(answer.status)
        what = f'{method or operation.method} {path} {body or ""}'[:300]
        if response is None:
            self.faults.append(f'{what}: {answer.status} is not described; {answer.body[:300]!r}')
        elif method != 'HEAD':
            self.faults += [f'{what}: {answer.status}: {fault}'
                            for fault in self.document.wrong_answer(response, *answer)]
        return answer

    def bodies(self, operation):
        """Type and value of each example of its body; one None where it has none."""
        content = (operation.body or {}).get('content', {})
        yield from ((media, value) for media, node in content.items() for _, value in openapi.examples_of(node))
        if not content:
            yield None, None

    def send_body(self, operation, path, media, value, **more):
        if media is None:
            return self.send(operation, path, **more)
        kind, body = encode(media, value)
        headers = {'Content-Type': kind, **more.pop('headers', {})}
        return self.send(operation, path, body=body, headers=headers, **more)

    def send_unknown(self, operation, **more):
        """Like an example that names things, but those that there are not."""
        nobody = Everything(UNKNOWN_ID)
        media, value = max(self.bodies(operation), key=lambda body: with_ids(body[1], nobody) != body[1])
        value = with_ids(value, nobody)
        if isinstance(value, dict):
            value.pop('short_code', None)   # it may be taken, and that would be told first
        return self.send_body(operation, self.path(operation), media, value, **more)

    # ---- What goes well

    def queries(self, operation):
        """None, each parameter alone, all together."""
        pairs = [(parameter['name'], value) for parameter in operation.query()
                 for _, value in itertools.islice(openapi.examples_of(parameter), 1)]
        pairs = [(name, str(value).lower() if isinstance(value, bool) else value) for name, value in pairs]
        yield ''
        for pair in pairs:
            yield '?' + urllib.parse.urlencode([pair])
        if len(pairs) > 1:
            yield '?' + urllib.parse.urlencode(pairs)

    def heads(self, operation, path, answer, **more):
        head = self.send(operation, path, method='HEAD', **more)
        response = operation.responses.get(answer.status, {})
        self.faults += [f'HEAD {path}: {fault}' for fault in self.document.wrong_headers(response, head.headers)]
        if head.status != answer.status or head.body:
            self.faults.append(f'HEAD {path}: {head.status} {head.body!r}, but GET is {answer.status}')

    def turns_page(self, operation, path):
        first = json.loads(self.send(operation, f'{path}?per_page=1').body)
        if first.get('next'):
            query = urllib.parse.urlencode({'per_page': 1, 'after': first['next']})
            second = json.loads(self.send(operation, f'{path}?{query}').body)
            if second.get('sample') == first['sample']:
                self.faults.append(f'{path}: the second page is the first: {first}')

    def examples(self, operation):
        """The answers to all that the document shows."""
        ways = ['id', 'code'] if operation.path.startswith('/urls/{id}') else ['id']
        for media, value in self.bodies(operation):
            value = with_ids(value, self.objects.ids()) if media else value
            for by, listener in itertools.product(ways, range(len(operation.listeners))):
                yield self.send_body(operation, self.new_path(operation, by), media, value, listener=listener)
        headers = {parameter['name']: parameter['example'] for parameter in operation.parameters
                   if parameter['in'] == 'header'}
        if headers:
            yield self.send_body(operation, self.new_path(operation), media, value, headers=headers)
        kinds = list(operation.responses.get(200, {}).get('content', {}))
        for kind in kinds[1:]:
            yield self.send(operation, self.new_path(operation), headers={'Accept': kind})
        if operation.method == 'GET':
            path = self.new_path(operation)
            for query in self.queries(operation):
                yield (answer := self.send(operation, path + query))
                self.heads(operation, path + query, answer)
            if any(parameter['name'] == 'after' for parameter in operation.query()):
                self.turns_page(operation, path)

    def succeed(self, operation, status):
        """Once for all statuses: a code of an example is taken after that."""
        if operation.id not in self.answers:
            self.answers[operation.id] = list(self.examples(operation))
        answers = self.answers[operation.id]
        self.faults += [f'an example is answered {answer.status}: {answer.body[:300]!r}'
                        for answer in answers if answer.status >= 300]
        yield from [answer for answer in answers if answer.status == status][:1] or answers[:1]

    def restore(self, operation, status):
        yield from self.succeed(operation, status)
        link = self.objects.make('link')
        self.objects.delete(f'/urls/{link["id"]}')
        yield (answer := self.send(operation, self.path(operation, link)))
        if json.loads(answer.body).get('is_active') is not True:
            self.faults.append('a link that was restored is not active')

    def redirect(self, operation, status):
        for by in ['id', 'code'] if '{id}' in operation.path else ['id']:
            path = self.new_path(operation, by, redirect_status=status)
            yield (answer := self.send(operation, path))
            self.heads(operation, path, answer)

    def not_modified(self, operation, _):
        etag = self.send(operation, operation.path).headers.get('ETag', '')
        yield self.send(operation, operation.path, headers={'If-None-Match': etag})

    # ---- What goes wrong

    def bad_queries(self, operation):
        if operation.scopes:
            yield from (f'?{name}={self.keys["all"]}' for name in ('key', 'api_key', 'token', 'access_token'))
        for parameter in operation.query():
            schema = self.document.resolve(parameter['schema'])
            if schema.get('type') in ('integer', 'boolean') or 'enum' in schema or 'format' in schema or \
                    parameter['name'] == 'after':
                yield f'?{parameter["name"]}=nonsense'
            yield f'?{parameter["name"]}=%ff'

    def bad(self, operation, _):
        path = self.new_path(operation)
        media, value = next(self.bodies(operation))
        for query in self.bad_queries(operation):
            yield self.send_body(operation, path + query, media, value)
        if media == 'application/json':
            for body in (b'', b'{', b'nonsense', b'7'):
                yield self.send(operation, path, headers={'Content-Type': media}, body=body)

    def inactive(self, operation, status):
        yield from self.bad(operation, status)
        link = self.objects.make('link')
        change = {'Content-Type': 'application/json', 'Authorization': f'Bearer {self.keys["maker"]}'}
        ask('public', 'PATCH', f'/urls/{link["id"]}', change, b'{"is_active": false}')
        yield self.send_body(operation, operation.path, 'application/json',
                             {'event_type': 'walked', 'url_id': link['id']})

    def unauthorized(self, operation, _):
        wrong = re.sub('.$', lambda last: 'e' if last[0] == 'f' else 'f', self.keys['all'])
        for key in (None, 'nonsense', wrong, f'ls_{UNKNOWN_ID}_{"0" * 64}'):
            yield self.send_unknown(operation, key=key)

    def forbidden(self, operation, _):
        yield self.send_unknown(operation, key=operation.scopes[0])

    def not_found(self, operation, _):
        yield self.send_unknown(operation)

    def taken(self, operation, _):
        """Each of its examples a second time, until one finds itself there."""
        for media, value in self.bodies(operation):
            value = with_ids(value, self.objects.ids())
            for _ in range(2):
                answer = self.send_body(operation, operation.path, media, value)
                if answer.status == 409:
                    yield answer
                    return
        yield answer

    def name_taken(self, operation, _):
        other = self.objects.make('user')
        for member in ('username', 'email'):
            yield self.send_body(operation, self.new_path(operation), 'application/json', {member: other[member]})

    def click_stays(self, operation, _):
        yield self.send(operation, self.path(operation, {'id': self.objects.click()}))

    def gone(self, operation, _):
        link = self.objects.make('link')
        self.objects.delete(f'/urls/{link["id"]}')
        yield self.poll(operation, self.path(operation, link), 410)

    def poll(self, operation, path, status):
        """Until it is answered so: the local copy of the links needs a moment."""
        end = time.monotonic() + PATIENCE_S
        while True:
            answer = self.send(operation, path)
            if answer.status == status or time.monotonic() > end:
                return answer
            time.sleep(0.1)

    def no_length(self, operation, _):
        yield self.send(operation, self.new_path(operation), length=False)

    def changed(self, operation, _):
        media, value = next(self.bodies(operation))
        for etag in ('"999999"', '"999998", "999999"'):
            yield self.send_body(operation, self.new_path(operation), media, value, headers={'If-Match': etag})

    def too_large(self, operation, _):
        limit = BULK_LIMIT if 'Bulk' in operation.node['tags'] else BODY_LIMIT
        yield self.send(operation, self.path(operation), headers={'Content-Type': 'application/json'},
                        length=limit + 1)

    def wrong_type(self, operation, _):
        media, value = next(self.bodies(operation))
        for kind in ('text/plain', 'application/x-www-form-urlencoded'):
            yield self.send_body(operation, self.new_path(operation), media, value, headers={'Content-Type': kind})

    def too_many(self, operation, status):
        for _ in range(4 * int(os.environ['RATE'])):
            answer = self.send_unknown(operation)
            if answer.status == status:
                break
        yield answer

    def unavailable(self, operation, status):
        if operation.scopes:
            yield self.send_unknown(operation)
        else:
            yield self.poll(operation, self.path(operation), status)

    def as_it_is(self, operation, _):
        yield self.send(operation, operation.path)


W = Walker
RECIPES = {
    200: W.succeed, 201: W.succeed, 301: W.redirect, 302: W.redirect, 307: W.redirect, 308: W.redirect,
    304: W.not_modified, 400: W.bad, 401: W.unauthorized, 403: W.forbidden, 404: W.not_found, 409: W.taken,
    410: W.gone, 411: W.no_length, 412: W.changed, 413: W.too_large, 415: W.wrong_type, 429: W.too_many,
    503: W.unavailable,
    ('restoreLink', 200): W.restore,
    ('createEvent', 400): W.inactive,
    ('changeUser', 409): W.name_taken, ('putUser', 409): W.name_taken,
    ('deleteEvent', 409): W.click_stays,
    ('getRecentLogs', 404): W.as_it_is, ('getRecentLogs', 503): W.as_it_is,
}
PHASES = {429: 'limited', 503: 'stopped', ('getRecentLogs', 404): 'nolog', ('getRecentLogs', 503): 'closedlog'}


def chosen(table, operation, status, otherwise=None):
    return table.get((operation.id, status), table.get(status, otherwise))


def walk(walker, phase):
    for operation in walker.document.operations():
        if os.environ.get('ONLY', operation.id) != operation.id:
            continue
        for status in operation.responses:
            if chosen(PHASES, operation, status, 'plain') == phase:
                openapi.report(f'{operation.id} answers {status}', reach(walker, operation, status))


def reach(walker, operation, status):
    recipe = chosen(RECIPES, operation, status)
    if recipe is None:
        return ['there is no recipe for it']
    walker.faults = []
    answers = []
    try:
        answers = list(recipe(walker, operation, status))
    except (RuntimeError, OSError, http.client.HTTPException, ValueError) as error:
        walker.faults.append(f'{type(error).__name__}: {error}')
    walker.faults += [f'answered {answer.status}: {answer.body[:300]!r}' for answer in answers
                      if answer.status != status]
    return walker.faults if answers else walker.faults + ['never reached']


# ---- What belongs to no status

def other_methods(walker):
    """Every path answers a method that it does not have with 405 and those that it has."""
    document = walker.document
    for path, item in document.root['paths'].items():
        if 'x-any-other-method' not in item:
            continue
        response = document.resolve(item['x-any-other-method'])
        operation = next(operation for operation in document.operations() if operation.path == path)
        # A path without parameters may look like one that has some; none of these has PATCH and PUT.
        method = next(method for method in ('patch', 'put', 'delete', 'post') if method not in item)
        answer = ask(operation.listeners[0], method.upper(), walker.path(operation))
        faults = list(document.wrong_answer(response, *answer))
        listed = {method.upper() for method in openapi.METHODS if method in item} | ({'HEAD'} if 'get' in item else set())
        missing = listed - set(answer.headers.get('Allow', '').split(', '))
        if answer.status != 405:
            faults.append(f'answered {answer.status}: {answer.body[:300]!r}')
        elif missing:
            faults.append(f'Allow is {answer.headers.get("Allow")}; {missing} is missing')
        openapi.report(f'{path} says which methods it has', faults)


def pages_for_people(_):
    answer = ask('public', 'GET', f'/{UNKNOWN_CODE}', {'Accept': 'text/html'})
    kind = answer.headers.get('Content-Type', '')
    openapi.report('an error is a page for people',
                   [] if answer.status == 404 and kind.startswith('text/html') else [f'{answer.status} {kind}'])


def wrong_rates(answers):
    """Consecutive answers of one rate class to one caller."""
    remaining = []
    for answer in answers:
        values = [answer.headers.get(f'RateLimit-{name}') for name in ('Limit', 'Remaining', 'Reset')]
        if None in values or not all(re.fullmatch('[0-9]+', value) for value in values):
            yield f'{answer.status}: Limit, Remaining, Reset are {values}'
            return
        if values[0] != os.environ['RATE']:
            yield f'RateLimit-Limit is {values[0]}, but {os.environ["RATE"]} is set'
        remaining.append(int(values[1]))
    if remaining != sorted(set(remaining), reverse=True):
        yield f'RateLimit-Remaining goes {remaining}'


def rates_are_told(walker):
    """Before anything uses them up; links are made with the maker's key, which nothing else needs here."""
    headers = walker.objects.headers
    made = [ask('public', 'POST', '/shorten', headers, b'{"url": "https://example.com/rates"}') for _ in range(2)]
    openapi.report('who makes links is told the rate', wrong_rates(made))
    openapi.report('and who asks', wrong_rates(ask('public', 'GET', '/urls', headers) for _ in range(2)))
    path = '/' + json.loads(made[0].body).get('short_code', UNKNOWN_CODE)
    openapi.report('and who follows one', wrong_rates(ask('public', 'GET', path) for _ in range(2)))


MORE = {'plain': [other_methods, pages_for_people], 'limited': [rates_are_told]}


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in {'plain', *PHASES.values()}:
        sys.exit(__doc__)
    walker = Walker(openapi.Document(sys.argv[2]))
    if 'ONLY' not in os.environ:
        for check in MORE.get(sys.argv[1], []):
            check(walker)
    walk(walker, sys.argv[1])
    sys.exit(openapi.failures > 0)


if __name__ == '__main__':
    main()
