#!/bin/bash
# For other scripts to source: hide_password takes the password out of $connection and into
# PGPASSWORD, because everyone can read the arguments of psql. A password in quotes stays.

hide_password() {
	local password
	if [[ $connection =~ ^(postgres(ql)?://)([^:@/]*):([^@/]*)@(.*)$ ]]; then
		password=${BASH_REMATCH[4]//\\/\\\\}
		password=$(printf '%b' "${password//%/\\x}")
		connection=${BASH_REMATCH[1]}${BASH_REMATCH[3]}@${BASH_REMATCH[5]}
	elif [[ $connection =~ ^(|.*[[:space:]])password=([^\'[:space:]]+)(.*)$ ]]; then
		password=${BASH_REMATCH[2]}
		connection=${BASH_REMATCH[1]}${BASH_REMATCH[3]}
	else
		return 0
	fi
	export PGPASSWORD=$password
}
