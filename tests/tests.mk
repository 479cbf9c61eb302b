# Test programs, all below $(BUILD)/tests. A kind without sources builds nothing.
#
# unit, service, domain    one Criterion program a kind, of all tests/<kind>/*.c
# stress/<name>            one plain program a file; tests/run builds them with SAN=thread
# fuzz/fuzz_<name>         one libFuzzer program a file; tests/run builds them with clang, SAN=$(FUZZ_SAN)
# web/<name>               one plain program a file: helpers that the web tests run
# bench/<name>             likewise, what the benchmarks compare with
# torture/load             the load of a torture

# GCC's UBSan can't write its reports to a file beside ASan. Let it trap: then ASan reports the place.
FUZZ_SAN       := fuzzer-no-link,address,undefined
ifneq ($(findstring undefined,$(filter-out $(FUZZ_SAN),$(SAN))),)
HARDEN += -fsanitize-undefined-trap-on-error
endif

TESTS          := $(BUILD)/tests
TEST_SUITES    := $(foreach kind,unit service domain,$(if $(wildcard tests/$(kind)/*.c),$(kind)))
STRESS_TESTS   := $(patsubst tests/%.c,$(TESTS)/%,$(wildcard tests/stress/*.c))
WEB_HELPERS    := $(patsubst tests/%.c,$(TESTS)/%,$(wildcard tests/web/*.c))
FUZZ_TARGETS   := $(patsubst tests/%.c,$(TESTS)/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_HELPERS   := $(TESTS)/fuzz/read_urls
BENCH_PROGRAMS := $(patsubst tests/%.c,$(TESTS)/%,$(wildcard tests/bench/*.c))
TORTURE_LOAD   := $(TESTS)/torture/load
suite_objects   = $(patsubst tests/%.c,$(TESTS)/objects/%.o,$(wildcard tests/$(1)/*.c))

.PHONY: tests stress bench-programs torture-programs fuzz-targets fuzz-programs print-build print-fuzz-build

tests: $(TEST_SUITES:%=$(TESTS)/%) $(WEB_HELPERS) $(FUZZ_HELPERS) $(TORTURE_LOAD)

stress: $(STRESS_TESTS)

bench-programs: $(BENCH_PROGRAMS) $(TESTS)/web/load

torture-programs: $(TORTURE_LOAD)

print-build:
	@echo $(BUILD)

print-fuzz-build:
	@$(MAKE) -s SAN=$(FUZZ_SAN) print-build

fuzz-targets:
	@$(MAKE) --no-print-directory CC=clang SAN=$(FUZZ_SAN) fuzz-programs

fuzz-programs: $(FUZZ_TARGETS)

$(FUZZ_TARGETS): $(TESTS)/%: $(TESTS)/objects/%.o $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(SAY) $@
	$(QUIET)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)

$(TESTS)/unit:    $(call suite_objects,unit)
$(TESTS)/domain:  $(call suite_objects,domain)
$(TESTS)/service: $(call suite_objects,service) $(patsubst %.c,$(BUILD)/%.o,$(wildcard cgi-bin/*.c))

$(TESTS)/unit $(TESTS)/domain $(TESTS)/service: $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(SAY) $@
	$(QUIET)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS) -lcriterion

$(TORTURE_LOAD): $(patsubst tests/%.c,$(TESTS)/objects/%.o,$(wildcard tests/torture/*.c))

$(STRESS_TESTS) $(WEB_HELPERS) $(FUZZ_HELPERS) $(BENCH_PROGRAMS) $(TORTURE_LOAD): $(TESTS)/%: $(TESTS)/objects/%.o $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(SAY) $@
	$(QUIET)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)

# The objects have a folder of their own: tests/unit is a program there, not a folder.
$(TESTS)/objects/%.o: tests/%.c
	@mkdir -p $(@D)
	$(SAY) $@
	$(QUIET)$(CC) $(ALL_CFLAGS) -Itests -c -o $@ $<
