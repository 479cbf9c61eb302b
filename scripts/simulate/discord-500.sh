#!/bin/bash
# Discord fails.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'Discord fails (500) while lighttpd is gone'
because 'Discord failed'
# shellcheck source=scripts/simulate.d/discord.sh
. "$repo/scripts/simulate.d/discord.sh"

inject() { behave 500; }

simulate "$@"
