#!/usr/bin/python3
"""docs/openapi.yaml as the tests see it: what is wrong in it, and how an answer differs from it.

openapi.py shape DOCUMENT            is it OpenAPI 3.1, does everything in it belong together
openapi.py routes DOCUMENT <ROUTES   has it every route that the programs print for --routes, and no
                                     other, with the scopes that they need

Each statement is a line "ok - …" or "not ok - …", with the details indented below. openapi_walk.py
sends requests by it, matrix.py takes examples from it.
"""

import collections
import json
import re
import sys

import jsonschema
import yaml

METHODS = ('get', 'put', 'post', 'patch', 'delete')
# What lighttpd answers alone; no program knows of it.
STATIC = {('GET', '/openapi.yaml')}
# What may stand where: a word that is none of these is misspelt.
WORDS = {
    'document': 'openapi info servers tags paths components',
    'path': 'parameters servers x-any-other-method get put post patch delete',
    'operation': 'operationId tags summary description security parameters requestBody responses',
    'parameter': 'name in required description schema example examples',
    'body': 'required content',
    'media': 'schema example examples',
    'response': 'description headers content',
    'header': 'description required schema',
}

failures = 0


def report(statement, faults):
    """One line of the protocol; faults are texts, none of them means that the statement holds."""
    global failures
    faults = list(faults)
    print(f'{"not ok" if faults else "ok"} - {statement}', flush=True)
    for fault in faults[:40]:
        print('    ' + str(fault).replace('\n', '\n    '), flush=True)
    failures += bool(faults)


class Strict(yaml.SafeLoader):
    """YAML whose mappings have no key twice: the first would be lost without a word."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = [key for key, count in collections.Counter(keys).items() if count > 1]
        if twice:
            raise yaml.YAMLError(f'{twice} stands twice{node.start_mark}')
        return super().construct_mapping(node, deep)


class Operation:
    """One method of one path, with what the path says for all of its methods."""

    def __init__(self, document, path, method):
        item = document.root['paths'][path]
        self.path, self.method = path, method.upper()
        self.node = item[method]
        self.id = self.node['operationId']
        self.parameters = [document.resolve(parameter)
                           for parameter in item.get('parameters', []) + self.node.get('parameters', [])]
        servers = item.get('servers', document.root['servers'])
        self.listeners = ['public' if server['url'] == '/' else 'operations' for server in servers]
        self.responses = {int(status): document.resolve(response)
                          for status, response in self.node['responses'].items()}
        self.body = document.resolve(self.node.get('requestBody'))
        self.scopes = sorted({scope for way in self.node['security'] for scope in way.get('key', [])})

    def query(self):
        return [parameter for parameter in self.parameters if parameter['in'] == 'query']


class Document:
    def __init__(self, path):
        with open(path, encoding='utf-8') as file:
            self.root = yaml.load(file, Loader=Strict)

    def find(self, reference):
        node = self.root
        for step in reference.removeprefix('#/').split('/'):
            node = node[step.replace('~1', '/').replace('~0', '~')]
        return node

    def resolve(self, node):
        while isinstance(node, dict) and '$ref' in node:
            node = self.find(node['$ref'])
        return node

    def operations(self):
        return [Operation(self, path, method) for path, item in self.root['paths'].items()
                for method in METHODS if method in item]

    # ---- Values

    def wrong(self, schema, value):
        """What of a value its schema does not allow, in words."""
        rooted = {'components': self.root['components'], **schema}
        for error in jsonschema.Draft202012Validator(rooted).iter_errors(value):
            place = '.'.join(str(step) for step in error.absolute_path)
            yield f'{place or "it"}: {error.message[:300]}'

    def _parts(self, schemas):
        for schema in schemas:
            if '$ref' in schema:
                yield from self._parts([self.find(schema['$ref'])])
            yield from self._parts(schema.get('allOf', []))
            yield schema

    def unknown(self, schemas, value, place='it'):
        """The members of a value that no property of its schemas describes, however deep."""
        parts = list(self._parts(schemas))
        if isinstance(value, list):
            items = [part['items'] for part in parts if 'items' in part]
            for number, item in enumerate(value):
                yield from self.unknown(items, item, f'{place}[{number}]')
        if not isinstance(value, dict):
            return
        anything = any('additionalProperties' in part for part in parts)
        for name, member in value.items():
            described = [part['properties'][name] for part in parts if name in part.get('properties', {})]
            if described:
                yield from self.unknown(described, member, f'{place}.{name}')
            elif not anything:
                yield f'{place} has the member {name}, which is not described'

    # ---- Answers

    def wrong_headers(self, response, headers):
        for name, header in response.get('headers', {}).items():
            header = self.resolve(header)
            value = headers.get(name)
            if value is None:
                if header.get('required'):
                    yield f'the header {name} is missing'
                continue
            kind = self.resolve(header['schema']).get('type')
            if kind == 'integer' and re.fullmatch('[0-9]+', value):
                value = int(value)
            yield from (f'header {name}: {fault}' for fault in self.wrong(header['schema'], value))

    def wrong_body(self, response, status, headers, body):
        kind = headers.get('Content-Type', '').partition(';')[0]
        content = response.get('content', {})
        if not content:
            return [f'there should be no body, but there is one: {body[:200]!r}'] if body else []
        if kind not in content:
            return [f'the type is {kind!r}, but should be one of {list(content)}']
        schema = content[kind]['schema']
        text = body.decode('utf-8')
        if not kind.endswith('json'):
            return self.wrong(schema, text)
        value = json.loads(text)
        faults = [*self.wrong(schema, value), *self.unknown([schema], value)]
        if kind == 'application/problem+json':
            if value.get('status') != status:
                faults.append(f'status is {value.get("status")} in the body')
            if value.get('request_id') != headers.get('X-Request-Id'):
                faults.append('request_id is not X-Request-Id')
        return faults

    def wrong_answer(self, response, status, headers, body):
        """How an answer differs from what its response says."""
        yield from self.wrong_headers(response, headers)
        try:
            yield from self.wrong_body(response, status, headers, body)
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            yield f'{error}: {body[:200]!r}'


# ---- The shape of the document

def references(node):
    """Every $ref in the document, those of extensions too."""
    if isinstance(node, dict):
        if isinstance(node.get('$ref'), str):
            yield node['$ref']
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


def dangling(document):
    for reference in sorted(set(references(document.root))):
        try:
            document.find(reference)
        except (KeyError, TypeError):
            yield reference


def unused(document):
    used = set(references(document.root))
    for kind, members in document.root['components'].items():
        for name in members:
            if kind != 'securitySchemes' and f'#/components/{kind}/{name}' not in used:
                yield f'{kind}/{name}'


def misspelt(document):
    def look(kind, node, place):
        if '$ref' not in node:
            for word in set(node) - set(WORDS[kind].split()):
                yield f'{place}: {word}'

    yield from look('document', document.root, 'document')
    for path, item in document.root['paths'].items():
        yield from look('path', item, path)
    for operation in document.operations():
        yield from look('operation', operation.node, operation.id)
        for parameter in operation.parameters:
            yield from look('parameter', parameter, f'{operation.id} {parameter.get("name")}')
        yield from look('body', operation.body or {}, f'{operation.id} requestBody')
        for status, response in operation.responses.items():
            yield from look('response', response, f'{operation.id} {status}')
            for name, header in response.get('headers', {}).items():
                yield from look('header', document.resolve(header), f'{operation.id} {status} {name}')
    for place, media in medias(document):
        yield from look('media', media, place)


def medias(document):
    """Each thing that has a schema and examples: bodies, answers, parameters; and where it is."""
    for operation in document.operations():
        for kind, media in (operation.body or {}).get('content', {}).items():
            yield f'{operation.id} {kind}', media
        for status, response in operation.responses.items():
            for kind, media in response.get('content', {}).items():
                yield f'{operation.id} {status} {kind}', media


def examples_of(media):
    if 'example' in media:
        yield 'example', media['example']
    for name, example in media.get('examples', {}).items():
        yield name, example['value']


def wrong_examples(document):
    for place, media in medias(document):
        for name, value in examples_of(media):
            faults = [*document.wrong(media['schema'], value), *document.unknown([media['schema']], value)]
            yield from (f'{place}, {name}: {fault}' for fault in faults)
    for operation in document.operations():
        for parameter in operation.parameters:
            for name, value in examples_of(parameter):
                yield from (f'{operation.id} {parameter["name"]}: {fault}'
                            for fault in document.wrong(parameter['schema'], value))


def without_example(document):
    for place, media in medias(document):
        wants = not place.endswith(('html', 'svg+xml', 'yaml', 'text/plain'))
        if wants and not list(examples_of(media)):
            yield place
    for operation in document.operations():
        for parameter in operation.parameters:
            if parameter['name'] != 'after' and not list(examples_of(parameter)):
                yield f'{operation.id} {parameter["name"]}'


def wrong_path_parameters(document):
    for operation in document.operations():
        named = re.findall(r'\{(\w+)\}', operation.path)
        declared = [parameter['name'] for parameter in operation.parameters if parameter['in'] == 'path']
        if sorted(named) != sorted(declared):
            yield f'{operation.id}: {operation.path} names {named}, declared are {declared}'
        yield from (f'{operation.id}: {parameter["name"]} is not required'
                    for parameter in operation.parameters
                    if parameter['in'] == 'path' and not parameter.get('required'))


def wrong_schemas(document):
    for name, schema in document.root['components']['schemas'].items():
        try:
            jsonschema.Draft202012Validator.check_schema(schema)
        except jsonschema.SchemaError as error:
            yield f'{name}: {error.message}'


def incomplete(document):
    known = {tag['name'] for tag in document.root['tags']}
    for operation in document.operations():
        for word in ('summary', 'tags', 'security', 'responses'):
            if word not in operation.node:
                yield f'{operation.id} has no {word}'
        for tag in set(operation.node.get('tags', [])) - known:
            yield f'{operation.id}: no tag {tag}'
        for status, response in operation.responses.items():
            if not response.get('description'):
                yield f'{operation.id} {status} has no description'


def missing_statuses(document):
    """Statuses that follow from what an operation is, whoever wrote it."""
    for operation in document.operations():
        implied = set()
        if operation.scopes:
            implied |= {400, 401, 403, 429, 503}
        if operation.method == 'POST':
            implied |= {411}
        if operation.body:
            implied |= {400, 413, 415}
        for status in sorted(implied - set(operation.responses)):
            yield f'{operation.id}: {status}'


def check_shape(document):
    report('the document is OpenAPI 3.1', []
           if str(document.root.get('openapi')).startswith('3.1.') and
           {'title', 'version'} <= set(document.root['info']) else ['openapi, info.title, info.version'])
    report('every $ref leads somewhere', dangling(document))
    ids = collections.Counter(operation.id for operation in document.operations())
    report('every operationId is there once', [name for name, count in ids.items() if count > 1])
    report('no word is misspelt', misspelt(document))
    report('every operation is complete', incomplete(document))
    report('every parameter of a path is declared', wrong_path_parameters(document))
    report('every schema is one', wrong_schemas(document))
    report('every component is used', unused(document))
    report('every example obeys its schema', wrong_examples(document))
    report('what can have an example has one', without_example(document))
    report('the statuses that all such operations have are there', missing_statuses(document))


# ---- The routes of the programs

Route = collections.namedtuple('Route', 'methods path scopes rate limit')


def read_routes(lines):
    """As --routes of the programs prints them."""
    for line in lines:
        methods, path, scopes, rate, limit = line.split()
        yield Route(methods.split(','), path, [] if scopes == '-' else sorted(scopes.split(',')), rate, int(limit))


def nameless(path):
    return re.sub(r':[a-z_]+|\{\w+\}', '{}', path)


def check_routes(document, routes):
    served = {(method, nameless(route.path)): route for route in routes for method in route.methods
              if method != 'HEAD'}
    described = {(operation.method, nameless(operation.path)): operation
                 for operation in document.operations()}
    both = sorted(set(served) & set(described))
    report('the programs have routes', [] if served else ['none'])
    report('every route is described', sorted(set(served) - set(described)))
    report('every operation has a route', sorted(set(described) - set(served) - STATIC))
    report('HEAD is answered wherever GET is, and nowhere else',
           [f'{route.methods} {route.path}' for route in routes
            if ('HEAD' in route.methods) != ('GET' in route.methods)])
    report('the scopes are those of the routes',
           [f'{pair}: {described[pair].scopes} described, {served[pair].scopes} needed' for pair in both
            if described[pair].scopes != served[pair].scopes])
    report('429 is described where a route has a rate', [
        f'{pair}: rate {served[pair].rate}' for pair in both
        if (served[pair].rate != '-' or bool(served[pair].scopes)) != (429 in described[pair].responses)])


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ('shape', 'routes'):
        sys.exit(__doc__)
    document = Document(sys.argv[2])
    if sys.argv[1] == 'shape':
        check_shape(document)
    else:
        check_routes(document, list(read_routes(sys.stdin)))
    sys.exit(failures > 0)


if __name__ == '__main__':
    main()
