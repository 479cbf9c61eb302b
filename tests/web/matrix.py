#!/usr/bin/python3
"""Every route that has a scope, against everybody who has no business there.

The routes come on standard input, as the programs print them for --routes: a new one is in it by
itself, and fails where it is about objects that OBJECTS does not make.

$PUBLIC is the listener, host:port; $KEY a key of the operators with all scopes; $DOCUMENT
docs/openapi.yaml, whose examples are the bodies; $LOGS the directory of the logs. An owner's objects
are full of a marker text; nobody else may ever read it, and it belongs into no log.
"""

import base64
import json
import os
import secrets
import subprocess
import sys
import time

import openapi
from openapi_walk import MEMBERS, ask, encode, with_ids

MARKER = 'marked-' + secrets.token_hex(8)
SCOPES = ['links:write', 'links:read', 'users:admin', 'events:write', 'stats:read', 'keys:admin', 'ops:read']
REVOCATION_S = 2
# For whom the objects of a path are, by its first segment.
OBJECTS = {'urls': 'link', 'users': 'user', 'events': 'event', 'keys': 'key'}

operator = {'Authorization': f'Bearer {os.environ["KEY"]}'}
keys_made = [os.environ['KEY']]


def call(method, path, value=None, headers=operator):
    if value is None:
        return ask('public', method, path, headers)
    return ask('public', method, path, {**headers, 'Content-Type': 'application/json'}, json.dumps(value).encode())


def make(path, value):
    answer = call('POST', path, value)
    if answer.status != 201:
        openapi.report(f'POST {path} makes what the matrix needs', [f'{answer.status} {answer.body[:500]}'])
        sys.exit(1)
    return json.loads(answer.body)


def bearer(key):
    return {'Authorization': f'Bearer {key}'}


def make_key(name='stranger', scopes=None, **more):
    made = make('/keys', {'name': name, 'scopes': scopes or SCOPES, **more})
    keys_made.append(made['key'])
    return made


def in_a_moment():
    return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + 2))


class Owner:
    """Somebody with a link, an event and a key, all of them marked."""

    def __init__(self):
        self.user = make('/users', {'username': MARKER, 'email': f'{MARKER}@example.org'})['id']
        self.link = make('/urls', {'original_url': f'https://example.com/{MARKER}', 'title': MARKER,
                                   'tags': [MARKER], 'user_id': self.user})['id']
        self.event = make('/events', {'event_type': MARKER, 'url_id': self.link, 'user_id': self.user,
                                      'details': {'note': MARKER}})['id']
        self.key = make_key(MARKER, user_id=self.user)['id']

    def ids(self):
        return {'user': self.user, 'link': self.link}

    def everything(self):
        """All that is the owner's, as the operators see it; to tell whether anybody touched it."""
        paths = (f'/urls/{self.link}', f'/users/{self.user}', f'/users/{self.user}/urls',
                 f'/users/{self.user}/events', f'/urls/{self.link}/events', f'/events/{self.event}')
        keys = json.loads(call('GET', '/keys?per_page=500').body)['sample']
        return [call('GET', path).body for path in paths] + [
            [key for key in keys if key['user_id'] == self.user]]


def names_owner(value):
    """Whether a body, or a row of one, is about the owner's things."""
    return isinstance(value, dict) and any(name in MEMBERS for name in value)


class Request:
    """What a route is asked for: about the owner's things, with the body of the document's example."""

    def __init__(self, document, owner, route, method):
        self.method, self.headers, self.body, self.value = method, {}, None, None
        self.name = f'{method} {route.path}'
        self.about_one = ':' in route.path
        kind = OBJECTS.get(route.path.split('/')[1])
        number = getattr(owner, kind) if self.about_one and kind else None
        self.path = '/'.join(str(number) if part.startswith(':') else part for part in route.path.split('/'))
        self.possible = not self.about_one or number is not None
        for operation in document.operations():
            if (operation.method, openapi.nameless(operation.path)) == (method, openapi.nameless(route.path)):
                self._take_example(operation, owner)

    def _take_example(self, operation, owner):
        for media, node in (operation.body or {}).get('content', {}).items():
            examples = [with_ids(value, owner.ids()) for _, value in openapi.examples_of(node)]
            self.value = max(examples, key=names_owner)
            kind, self.body = encode(media, self.value)
            self.headers = {'Content-Type': kind}
            return

    def send(self, headers, query=''):
        return ask('public', self.method, self.path + query, {**self.headers, **headers}, self.body)


def leaks(answer):
    text = answer.body + str(answer.headers).encode()
    return [word for word in [MARKER, *keys_made] if word.encode() in text]


def wrong(request, who, answer, wanted):
    if answer.status not in wanted:
        yield f'{who}: {answer.status}, but should be {wanted}: {answer.body[:200]!r}'
    yield from (f'{who}: the answer has {word}' for word in leaks(answer))
    if answer.status == 401 and answer.headers.get('WWW-Authenticate') != 'Bearer':
        yield f'{who}: WWW-Authenticate is {answer.headers.get("WWW-Authenticate")}'
    if request.method == 'HEAD' and answer.body:
        yield f'{who}: a HEAD has a body'


def bad_keys():
    """Who has no key, in all the ways there are."""
    good = make_key()
    revoked = make_key()
    expired = make_key(expires_at=in_a_moment())
    call('DELETE', f'/keys/{revoked["id"]}')
    time.sleep(REVOCATION_S + 1)
    other_secret = 'ls_{}_{}'.format(good['id'], good['key'][-1] + good['key'].split('_')[2][:-1])
    secret = good['key'].split('_')[2]
    return {
        'no key': {},
        'an empty key': bearer(''),
        'a key that is none': bearer('nonsense'),
        'a key cut short': bearer(good['key'][:-1]),
        'a key with more behind it': bearer(good['key'] + '0'),
        'a secret in capital letters': bearer(good['key'].replace(secret, secret.upper())),
        'a number that is none': bearer(f'ls_-1_{secret}'),
        'another scheme': {'Authorization': 'Basic ' + base64.b64encode(good['key'].encode()).decode()},
        'no scheme': {'Authorization': good['key']},
        'an unknown key': bearer(f'ls_999999999_{"0" * 64}'),
        'a wrong secret': bearer(other_secret),
        'the secret of another key': bearer(f'ls_{revoked["id"]}_{secret}'),
        'an expired key': bearer(expired['key']),
        'a revoked key': bearer(revoked['key']),
    }


def wanted_of_stranger(request):
    """A key of another owner, with all scopes: things of the owner are not there for it."""
    if request.method in ('GET', 'HEAD') and not request.about_one:
        return {200}    # a list, without the owner's things
    wanted = {404}
    if request.path.startswith('/users'):
        wanted.add(403)     # users are made and deleted by operators alone
    if not request.about_one and not names_owner(request.value):
        wanted.add(201)     # what it makes is its own
    return wanted


def wrong_rows(request, answer):
    """Of many rows, those about the owner's things have to be skipped."""
    if answer.status == 201 and isinstance(request.value, list):
        own = sum(not names_owner(row) for row in request.value)
        created = json.loads(answer.body)['created']
        if created > own:
            yield f'another owner: {created} rows created, but only {own} of them name nothing of the owner'


def check_route(request, route, bad, without, stranger):
    if not request.possible:
        return [f'the matrix has no object for {route.path}: add it to OBJECTS']
    faults = []
    for who, headers in bad.items():
        faults += wrong(request, who, request.send(headers), {401})
    for scope in route.scopes:
        faults += wrong(request, f'all scopes but {scope}', request.send(bearer(without[scope])), {403})
    for name in ('key', 'api_key', 'token', 'access_token'):
        answer = request.send({}, f'?{name}={os.environ["KEY"]}')
        faults += wrong(request, f'a key in the query as {name}', answer, {400})
    answer = request.send(bearer(stranger))
    faults += wrong(request, 'another owner', answer, wanted_of_stranger(request))
    return faults + list(wrong_rows(request, answer))


def check_revocation(routes):
    """Every list, and making a link, again and again: each process may remember a key for a moment."""
    calls = [('GET', route.path, None) for route in routes if 'GET' in route.methods and ':' not in route.path]
    calls.append(('POST', '/shorten', {'url': 'https://example.com/'}))
    key = make_key()
    headers = bearer(key['key'])
    faults = [f'{one[1]} is {answer.status} before' for one in calls for _ in range(20)
              if (answer := call(*one, headers)).status >= 300]
    call('DELETE', f'/keys/{key["id"]}')
    begin = time.monotonic()
    last, refused = 0, 0
    while (now := time.monotonic() - begin) < REVOCATION_S + 2:
        for one in calls:
            if call(*one, headers).status == 401:
                refused += 1
            else:
                last = now
    if last > REVOCATION_S:
        faults.append(f'still let in after {last:.2f} s')
    openapi.report('a revoked key is refused within two seconds, everywhere',
                   faults + ([] if refused else ['nobody was refused']))


def in_logs():
    for word in [MARKER, *(key.split('_')[2] for key in keys_made)]:
        found = subprocess.run(['grep', '-rlF', '-e', word, os.environ['LOGS']], capture_output=True, text=True,
                               check=False)
        yield from (f'{file} has {word}' for file in found.stdout.split())


def main():
    document = openapi.Document(os.environ['DOCUMENT'])
    routes = [route for route in openapi.read_routes(sys.stdin) if route.scopes]
    openapi.report('there are routes that need a key', [] if routes else ['none'])
    owner = Owner()
    bad = bad_keys()
    without = {scope: make_key(scopes=[other for other in SCOPES if other != scope])['key'] for scope in SCOPES}
    name = 'stranger-' + secrets.token_hex(8)
    other = make('/users', {'username': name, 'email': f'{name}@example.org'})['id']
    stranger = make_key(user_id=other)['key']
    before = owner.everything()
    for route in routes:
        for method in route.methods:
            request = Request(document, owner, route, method)
            openapi.report(f'{request.name} is closed to all who have no business there',
                           check_route(request, route, bad, without, stranger))
    openapi.report('nothing of the owner has changed by it', [
        f'{was[:600]!r}\nis now\n{now[:600]!r}' for was, now in zip(before, owner.everything()) if was != now])
    check_revocation(routes)
    openapi.report('no log has a key or what somebody wrote', in_logs())
    sys.exit(openapi.failures > 0)


if __name__ == '__main__':
    main()
