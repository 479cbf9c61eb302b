#include "base/address.h"

#include <arpa/inet.h>
#include <string.h>

void address_truncate(const char *address, char network[INET6_ADDRSTRLEN])
{
	struct in6_addr wide;
	struct in_addr narrow;
	network[0] = '\0';
	if (inet_pton(AF_INET6, address, &wide) == 1 && IN6_IS_ADDR_V4MAPPED(&wide)) {
		memcpy(&narrow, &wide.s6_addr[12], sizeof(narrow));
	} else if (inet_pton(AF_INET6, address, &wide) == 1) {
		memset(&wide.s6_addr[6], 0, 10);
		inet_ntop(AF_INET6, &wide, network, INET6_ADDRSTRLEN);
		return;
	} else if (inet_pton(AF_INET, address, &narrow) != 1) {
		return;
	}
	narrow.s_addr &= htonl(0xFFFFFF00);
	inet_ntop(AF_INET, &narrow, network, INET6_ADDRSTRLEN);
}
