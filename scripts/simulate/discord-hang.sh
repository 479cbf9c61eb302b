#!/bin/bash
# Discord takes the message and never answers.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'Discord does not answer while lighttpd is gone'
because 'Discord hung'
# shellcheck source=scripts/simulate.d/discord.sh
. "$repo/scripts/simulate.d/discord.sh"

inject() { behave hang; }

simulate "$@"
