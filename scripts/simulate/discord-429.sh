#!/bin/bash
# Too many messages, says Discord, to each.
# shellcheck source=scripts/simulate.d/lib.sh
. "$(dirname "$0")/../simulate.d/lib.sh"

what 'Discord refuses every message (429) while lighttpd is gone'
because 'Discord limits how often we may speak'
# shellcheck source=scripts/simulate.d/discord.sh
. "$repo/scripts/simulate.d/discord.sh"

inject() { behave 429; }

simulate "$@"
