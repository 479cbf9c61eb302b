# Link-Shrink. `make help` says what there is.

PROGRAMS  := redirect shorten api bulk metrics system ingest replicate
LOCAL     := inbox#  only scripts/stack starts it
VERSION   := 0.1.0

CC        := gcc
CFLAGS    ?= -O2 -g
STD       := -std=c17 -D_GNU_SOURCE
WARN      := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
             -Wpointer-arith -Wwrite-strings -Wvla -Wformat=2 -Wimplicit-fallthrough
# -fcf-protection is of x86 alone; gcc refuses it elsewhere.
CF_PROTECTION := $(if $(filter x86_64-%,$(shell $(CC) -dumpmachine)),-fcf-protection)
HARDEN    := -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection $(CF_PROTECTION) -fPIE
INCLUDES  := -Icommon -I. -isystem /usr/include/postgresql
DEFINES   := -DLINKSHRINK_VERSION='"$(VERSION)"'
LDFLAGS   ?=
HARDEN_LD := -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed
LIBS      := -lfcgi -lpq -lcjson -lqrencode -lcrypto -lidn2 -llmdb -lpthread -lm

# SAN=address,undefined builds everything with sanitizers, in a directory of its own.
SAN       ?=
comma     := ,
ifneq ($(SAN),)
BUILD     := build/san-$(subst $(comma),-,$(SAN))
HARDEN    := -fPIE -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer
HARDEN_LD += -fsanitize=$(SAN)
CFLAGS    := -O1 -g
else
BUILD     := build
endif

ALL_CFLAGS  = $(STD) $(WARN) $(HARDEN) $(INCLUDES) $(DEFINES) -MMD -MP $(CFLAGS)
ALL_LDFLAGS = $(HARDEN_LD) $(LDFLAGS)

# V=1 shows whole command lines.
V         ?=
QUIET     := $(if $(V),,@)
SAY       := @$(if $(V),:,echo ' ')

COMMON    := $(wildcard common/*/*.c)
LIBRARY   := $(patsubst %.c,$(BUILD)/%.o,$(filter-out common/service/main.c,$(COMMON)))
ALL       := $(PROGRAMS) $(LOCAL)
BINARIES  := $(ALL:%=$(BUILD)/bin/%)
SOURCES   := $(wildcard common/*/*.[ch] cgi-bin/*.[ch] tests/*/*.[ch])

# Where "make install" puts what; scripts/install says more.
DESTDIR    ?=
PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
UNITDIR    ?= $(PREFIX)/lib/systemd/system

.PHONY: all help deps build run demo-data import test test-alerts test-install gameday torture fuzz bench lint layers sizes format install deb clean
.DELETE_ON_ERROR:

help: ## list what make can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

deps: ## install the Debian packages that are missing
	@scripts/deps

build: $(BINARIES) ## compile the programs into build/bin

run: ## start the whole stack in the foreground; Ctrl-C stops it
	@scripts/deps run build
	@$(MAKE) --no-print-directory build
	@scripts/stack up

demo-data: ## fill the running stack with people, links and clicks; USERS= LINKS= EVENTS= SEED=
	@scripts/demo-data $(if $(USERS),--users $(USERS)) $(if $(LINKS),--links $(LINKS)) \
		$(if $(EVENTS),--events $(EVENTS)) $(if $(SEED),--seed $(SEED))

import: ## take links from another shortener; FORMAT=bitly FILES=links.csv, docs/import.md
	@scripts/import $(FORMAT) $(FILES)

test: ## install what is needed, build, run every test
	@scripts/deps run build test
	@tests/run

gameday torture bench install test-alerts: export LINKSHRINK_BIN := $(CURDIR)/$(BUILD)/bin
gameday torture bench test-alerts: export LINKSHRINK_TESTS := $(CURDIR)/$(BUILD)/tests
bench: ## measure all that has a bar and write it into docs/operations.md; 15 minutes, FULL=1 longer
	@scripts/deps run build bench
	@$(MAKE) --no-print-directory build bench-programs
	@FULL=$(FULL) tests/bench/run

test-alerts: ## measure how soon people hear of an outage, and of nothing else; 75 minutes, PART=
	@scripts/deps run build bench
	@$(MAKE) --no-print-directory build bench-programs
	@tests/alerts/run $(PART)

test-install: ## install, package and start what was installed, below build/ and in temporary directories
	@scripts/deps run build package
	@$(MAKE) --no-print-directory build
	@tests/install/run

gameday: ## break everything, really, and see who is told when; half an hour, FAULTS=, QUICK=1
	@scripts/deps run build
	@$(MAKE) --no-print-directory build torture-programs $(BUILD)/tests/web/load
	@QUICK=$(QUICK) tests/gameday/run $(FAULTS)

torture: ## kill and stop everything at random, then check the books; DURATION=60 seconds, SEED=
	@scripts/deps run build
	@$(MAKE) --no-print-directory build torture-programs
	@DURATION=$(DURATION) SEED=$(SEED) tests/torture/run

fuzz: ## look for inputs that break something; DURATION=3600 seconds each, TARGET=json or all
	@scripts/deps
	@$(MAKE) --no-print-directory fuzz-targets
	@JOBS=$${JOBS:-$$(nproc)} tests/fuzz/run --seconds $(or $(DURATION),3600) $(TARGET)

lint: layers sizes ## check format, code, shell, layers and sizes
	@scripts/lint

layers: ## check that each layer includes only what lies below it
	@scripts/layers

sizes: ## check the sizes of functions and files
	@scripts/sizes

format: ## lay out the C sources with clang-format
	@clang-format -i $(SOURCES)

install: build ## install below PREFIX (/usr/local) and SYSCONFDIR (/etc), all of it below DESTDIR
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' SYSCONFDIR='$(SYSCONFDIR)' UNITDIR='$(UNITDIR)' \
		scripts/install $(PROGRAMS)

deb: ## make a Debian package of this tree, in build/deb
	@scripts/deps build package
	@scripts/deb

clean: ## remove what was built
	@rm -rf build

$(BINARIES): $(BUILD)/bin/%: $(BUILD)/cgi-bin/%.o $(BUILD)/main/%.o $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(SAY) $@
	$(QUIET)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)

# A program that is too large for one file has others: <program>_<what>.c.
parts      = $(patsubst %.c,$(BUILD)/%.o,$(wildcard cgi-bin/$(1)_*.c))
$(foreach program,$(ALL),$(eval $(BUILD)/bin/$(program): $(call parts,$(program))))

# main.c is the same for all programs but for the service that it runs.
$(ALL:%=$(BUILD)/main/%.o): $(BUILD)/main/%.o: common/service/main.c
	@mkdir -p $(@D)
	$(SAY) $@
	$(QUIET)$(CC) $(ALL_CFLAGS) -DSERVICE=$*_service -c -o $@ $<

$(BUILD)/libcommon.a: $(LIBRARY)
	@rm -f $@
	@ar rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(SAY) $@
	$(QUIET)$(CC) $(ALL_CFLAGS) -c -o $@ $<

include tests/tests.mk

-include $(shell find $(BUILD) -type f -name '*.d' 2>/dev/null)
