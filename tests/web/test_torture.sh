#!/bin/bash
# A minute of torture: everything is killed and stopped at random, and the books must agree.
set -eu
cd "$(dirname "$0")/../.."
DURATION=${DURATION:-60} exec tests/torture/run
