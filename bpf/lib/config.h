/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The one configuration of an object. It lives in .rodata: the loader fills it before loading, the verifier then knows
 * every value and removes what is switched off, so a feature costs nothing when it is off and needs no #if.
 *
 * A program states which of Cilium's objects it belongs to by defining THIS_OBJECT (enum source_file) before it
 * includes anything from lib/. A few rules differ by object, as they do in Cilium.
 */
#pragma once

#include "abi/config.h"
#include "abi/constants.h"
#include "abi/drop_reasons.h"
#include "abi/events.h"
#include "lib/kernel.h"

#ifndef THIS_OBJECT
#error "define THIS_OBJECT before including lib/"
#endif

/* What stands there before anybody sets it; tests say it (tests/unittest.h). */
#ifndef INITIAL_CONFIG
#define INITIAL_CONFIG {}
#endif

/* weak: or the compiler takes the zeros that stand here for the value when it copies a member */
const volatile struct datapath_config config __attribute__((weak)) SEC(".rodata") = INITIAL_CONFIG;

#define IS_LXC (THIS_OBJECT == SOURCE_FILE_LXC)
#define IS_HOST (THIS_OBJECT == SOURCE_FILE_HOST)
#define IS_OVERLAY (THIS_OBJECT == SOURCE_FILE_OVERLAY)

#define ETH_HEADER_LENGTH 14

/* Offset of the network header. Only a native device can lack an Ethernet header. */
INLINE uint32_t l3_offset(void)
{
	return IS_HOST ? config.eth_header_length : ETH_HEADER_LENGTH;
}

INLINE int dual_stack(void)
{
	return config.enable_ipv4 && config.enable_ipv6;
}

/* The endpoint that stands in the events' source field. */
INLINE uint16_t event_source(void)
{
	return IS_LXC ? config.endpoint_id : IS_HOST ? config.host_ep_id : 0;
}
