/*
 * address - client addresses made coarse, so that what is kept does not name a person.
 */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include <netinet/in.h>

/*
 * The network of an address, its host part zero: IPv4 by /24, IPv6 by /48 (an IPv4-mapped one as
 * IPv4); "" for what is no address.
 */
void address_truncate(const char *address, char network[INET6_ADDRSTRLEN]);

#endif
