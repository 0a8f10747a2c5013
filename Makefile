# SPDX-License-Identifier: GPL-2.0-only
# `make help` lists the targets. V=1 shows the commands.

CLANG ?= clang
ARCH := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')
BUILD := build

BACKENDS := lsm fmod_ret kill
# core is built once, each other group once for each backend, but for those that forbid nothing
# and syscall for those that can act on a system call
GROUPS := $(filter-out core syscall,$(patsubst bpf/%.bpf.c,%,$(wildcard bpf/*.bpf.c)))
KILL_ONLY := subject $(filter observe_%,$(GROUPS))
# not attached for rules, and only as a first layer
FIRST_ONLY := seal
# the kernel has a hook for one backend alone
LSM_ONLY := digest
OBJECTS := $(BUILD)/core.bpf.o $(patsubst %,$(BUILD)/kill/%.bpf.o,$(filter-out $(FIRST_ONLY) $(LSM_ONLY),$(GROUPS))) \
	$(LSM_ONLY:%=$(BUILD)/lsm/%.bpf.o) \
	$(foreach backend,lsm fmod_ret,$(patsubst %,$(BUILD)/$(backend)/%.bpf.o,$(filter-out $(KILL_ONLY) $(LSM_ONLY),$(GROUPS))))
CALL_BACKENDS := fmod_ret override kill
OBJECTS += $(CALL_BACKENDS:%=$(BUILD)/%/syscall.bpf.o)
TABLES := $(BACKENDS:%=$(BUILD)/%/groups)
# what several helpers are linked with
SHARED := common calls sha256
HELPERS := $(patsubst helpers/%.c,$(BUILD)/helpers/%,$(filter-out $(SHARED:%=helpers/%.c),$(wildcard helpers/*.c)))
# these are several files, with a folder of their own
ENCODE := $(patsubst helpers/encode/%.c,encode/%.o,$(wildcard helpers/encode/*.c))
# some that are not linked like the others, and hello once more with a dynamic linker
# programs that attack ours
ATTACKS := $(patsubst test/attack/%.c,$(BUILD)/test/%.o,$(wildcard test/attack/*.bpf.c))
PROGS := $(patsubst test/progs/%.c,$(BUILD)/test/%,$(filter-out %/raw.c %/lib.c,$(wildcard test/progs/*.c))) \
	$(BUILD)/test/raw $(BUILD)/test/lib.so $(BUILD)/test/dynamic
EVENTS := $(patsubst helpers/events/%.c,events/%.o,$(wildcard helpers/events/*.c))
# what the bench compares with: the hooks of each group with nothing behind them
EMPTY_GROUPS := exec $(filter file_%,$(GROUPS))
EMPTIES := $(foreach backend,$(BACKENDS),$(EMPTY_GROUPS:%=$(BUILD)/bench/$(backend)/%.bpf.o)) \
	$(BUILD)/bench/kill/subject.bpf.o $(BUILD)/bench/call_fmod_ret.bpf.o $(BUILD)/bench/call_kprobe.bpf.o
# to be preloaded: see test/verifier
PRELOADS := $(patsubst test/preload/%.c,$(BUILD)/test/%.so,$(wildcard test/preload/*.c))
UNITS := $(patsubst test/helpers/%.c,$(BUILD)/test/helpers/%,$(wildcard test/helpers/*_test.c))
FUZZERS := $(patsubst test/fuzz/%_fuzz.c,$(BUILD)/fuzz/%,$(wildcard test/fuzz/*_fuzz.c))
ASAN := $(HELPERS:$(BUILD)/%=$(BUILD)/asan/%) $(UNITS:$(BUILD)/%=$(BUILD)/asan/%)

# Where asm/types.h is. Asked when a recipe runs: clang may be installed only then.
MULTIARCH = $(shell $(CLANG) -print-multiarch 2>/dev/null || echo $$(uname -m)-linux-gnu)
WARNINGS := -Wall -Wextra -Werror
BPF_CFLAGS = -g -O2 $(WARNINGS) -Wno-unused-parameter -target bpf -mcpu=v3 \
	-D__TARGET_ARCH_$(ARCH) -idirafter /usr/include/$(MULTIARCH)
CFLAGS ?= -O2 -g
HELPER_CFLAGS := -std=gnu11 $(WARNINGS) -Ihelpers
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

ifeq ($(V),1)
Q :=
say =
else
Q := @
say = @printf '  %-6s %s\n' $(1) $(2);
MAKEFLAGS += --no-print-directory
endif

.DELETE_ON_ERROR:
.SUFFIXES:
.PRECIOUS: $(BUILD)/fuzz/%.o
.PHONY: all deps load unload demo test check fuzz bench bench-check verifier evasion arm64 newest fresh-test clean \
	help objects units asan fuzzers need-build need-run need-vm need-check need-bench
.DEFAULT_GOAL := all

all: $(OBJECTS) $(TABLES) $(HELPERS) $(PROGS) $(PRELOADS) $(ATTACKS) $(EMPTIES) ## build the BPF objects, the helpers, the test programs

deps: ## install what building, running and testing need
	$(Q)scripts/deps

load: all need-run ## attach and pin (as root)
	$(Q)scripts/load

unload: ## remove all that load made (as root)
	$(Q)scripts/unload

demo: all need-vm ## show it at work, in a VM
	$(Q)test/demo

test: all units need-vm need-check need-bench ## the whole suite on every kernel, in VMs; T='-k 6.12': on one
	$(Q)test/run $(T)

check: need-check ## linters, and the helpers' unit tests under sanitizers
	$(Q)test/check

fuzz: fuzzers ## the helpers on hostile input, ten minutes each; T='-t 3600 encode': longer, or one
	$(Q)test/fuzz/run $(T)

bench: all need-vm need-bench ## measure the cost, in a VM, into docs/bench (an hour and more)
	$(Q)test/bench/run

bench-check: all need-vm ## hold it to its budgets with 10,000 rules, which is quicker
	$(Q)test/bench/run -q -n 10000

verifier: all newest need-vm ## what the verifier says of each object on each kernel, into docs/verifier.md
	$(Q)test/verifier

evasion: all need-vm ## try each technique on each kernel and backend, print the tables and put them into docs/evasion.md
	$(Q)test/evasion

arm64: ## compile every object for arm64 as well, into build/arm64
	$(Q)$(MAKE) objects ARCH=arm64 BUILD=$(BUILD)/arm64

fresh-test: need-vm ## clone, demo and test on minimal Debian 12 and 13 (as root)
	$(Q)test/vm/fresh bookworm
	$(Q)test/vm/fresh trixie

clean: ## remove what was built
	$(Q)rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | \
		while IFS="$$(printf '\t')" read -r name text; do printf '  %-12s %s\n' "$$name" "$$text"; done

# called by test/run, test/check and test/fuzz/run
fuzzers: $(FUZZERS)
objects: $(OBJECTS)
# The objects by the newest clang that is installed, if it is not the one used.
NEWEST = $(lastword $(shell ls /usr/bin | grep -xE 'clang-[0-9]+' | sort -t- -k2n))
newest:
	$(Q)[ -z "$(NEWEST)" ] || $(NEWEST) -dumpversion | grep -qx "$$($(CLANG) -dumpversion)" || \
		$(MAKE) objects CLANG=$(NEWEST) BUILD=$(BUILD)/newest
units: $(UNITS)
asan: $(ASAN)

need-build need-run need-vm need-check need-bench: need-%:
	$(Q)scripts/deps --need $*

# BPF: core, then one pattern for each backend
$(BUILD)/core.bpf.o: bpf/core.bpf.c Makefile | need-build $(BUILD)
	$(call say,BPF,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/lsm/%.bpf.o: BACKEND := LSM
$(BUILD)/fmod_ret/%.bpf.o: BACKEND := FMOD_RET
$(BUILD)/kill/%.bpf.o: BACKEND := KILL
$(BUILD)/override/%.bpf.o: BACKEND := OVERRIDE

define backend_rule
$(BUILD)/$(1)/%.bpf.o: bpf/%.bpf.c Makefile | need-build $(BUILD)/$(1)
	$$(call say,BPF,$$@)
	$$(Q)$$(CLANG) $$(BPF_CFLAGS) -DBACKEND_$$(BACKEND) -MMD -MP -c $$< -o $$@
endef
$(foreach backend,$(BACKENDS) override,$(eval $(call backend_rule,$(backend))))

$(TABLES): $(BUILD)/%/groups: pins/groups.jq $(patsubst %,pins/%.json,$(filter-out $(FIRST_ONLY),$(GROUPS))) Makefile | need-build $(BUILD)/%
	$(call say,TABLE,$@)
	$(Q)jq -r --arg b $* -f $< $(filter %.json,$^) >$@

$(BUILD)/bench/%.bpf.o: test/bench/empty.bpf.c $(BUILD)/%.bpf.o Makefile | $(BACKENDS:%=$(BUILD)/bench/%)
	$(call say,BPF,$@)
	$(Q)readelf -SW $(BUILD)/$*.bpf.o | \
		sed -nE 's,.* ((lsm|fmod_ret|kprobe|tp_btf)/([a-z0-9_]+)) .*,EMPTY(\3\, "\1"),p' >$(@:.o=.h)
	$(Q)$(CLANG) $(BPF_CFLAGS) '-DHOOKS="$(abspath $(@:.o=.h))"' -c $< -o $@

$(BUILD)/bench/call_%.bpf.o: test/bench/empty_call.bpf.c Makefile | need-build $(BUILD)/bench/lsm
	$(call say,BPF,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) -D$(shell echo $* | tr a-z A-Z) -c $< -o $@

# Static: an exec without a dynamic linker is several times as fast. -MMD with two sources
# would name the last one only, so the shared one is compiled apart.
link = $(CC) $(HELPER_CFLAGS) $(CFLAGS) $(LDFLAGS) -MMD -MP -MF $@.d -MT $@ $< $(filter %.o,$^) -o $@

$(BUILD)/obj/%.o: helpers/%.c Makefile | need-build $(BUILD)/obj/encode $(BUILD)/obj/events
	$(call say,CC,$@)
	$(Q)$(CC) $(HELPER_CFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

.SECONDARY: $(SHARED:%=$(BUILD)/obj/%.o)
$(BUILD)/helpers/encode: $(ENCODE:%=$(BUILD)/obj/%)
$(BUILD)/helpers/seal: $(BUILD)/obj/encode/lines.o
$(BUILD)/helpers/explain: $(filter-out %/apply.o,$(ENCODE:%=$(BUILD)/obj/%))
$(BUILD)/helpers/events: $(EVENTS:%=$(BUILD)/obj/%)
$(BUILD)/helpers/%: helpers/%.c $(SHARED:%=$(BUILD)/obj/%.o) | need-build $(BUILD)/helpers
	$(call say,CC,$@)
	$(Q)$(link) -static

# it answers bpf(2) itself
$(BUILD)/test/helpers/encode_test $(BUILD)/asan/test/helpers/encode_test: LDFLAGS += -Wl,--wrap=syscall
$(BUILD)/test/helpers/encode_test: $(ENCODE:%=$(BUILD)/obj/%)
$(BUILD)/test/helpers/%: test/helpers/%.c $(SHARED:%=$(BUILD)/obj/%.o) | need-build $(BUILD)/test/helpers
	$(call say,CC,$@)
	$(Q)$(link) -static

$(BUILD)/test/%: test/progs/%.c Makefile | need-build $(BUILD)/test
	$(call say,CC,$@)
	$(Q)$(CC) $(HELPER_CFLAGS) $(CFLAGS) $(LDFLAGS) -MMD -MP -MF $@.d -MT $@ $< -o $@ -static

$(BUILD)/test/%.bpf.o: test/attack/%.bpf.c Makefile | need-build $(BUILD)/test
	$(call say,BPF,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/test/%.so: test/preload/%.c Makefile | need-build $(BUILD)/test
	$(call say,CC,$@)
	$(Q)$(CC) $(HELPER_CFLAGS) $(CFLAGS) $(LDFLAGS) -MMD -MP -MF $@.d -MT $@ $< -o $@ -shared -fPIC -ldl
# exec_ways.h: what it loads by hand, by ld.so, and into another program
prog = $(CC) $(HELPER_CFLAGS) $(CFLAGS) -MMD -MP -MF $@.d -MT $@ $< -o $@
$(BUILD)/test/raw: test/progs/raw.c Makefile | need-build $(BUILD)/test
	$(call say,CC,$@)
	$(Q)$(prog) -static-pie -nostdlib -ffreestanding -fno-stack-protector -fno-builtin
$(BUILD)/test/lib.so: test/progs/lib.c Makefile | need-build $(BUILD)/test
	$(call say,CC,$@)
	$(Q)$(prog) -shared -fPIC
$(BUILD)/test/dynamic: test/progs/hello.c Makefile | need-build $(BUILD)/test
	$(call say,CC,$@)
	$(Q)$(prog)
$(BUILD)/test/host: test/progs/host.c Makefile | need-build $(BUILD)/test
	$(call say,CC,$@)
	$(Q)$(prog)

$(BUILD)/asan/%.o: helpers/%.c Makefile | need-build $(BUILD)/asan/encode $(BUILD)/asan/events
	$(call say,ASAN,$@)
	$(Q)$(CC) $(HELPER_CFLAGS) $(CFLAGS) $(SANITIZE) -MMD -MP -c $< -o $@

$(BUILD)/asan/helpers/encode: $(ENCODE:%=$(BUILD)/asan/%)
$(BUILD)/asan/helpers/seal: $(BUILD)/asan/encode/lines.o
$(BUILD)/asan/helpers/explain: $(filter-out %/apply.o,$(ENCODE:%=$(BUILD)/asan/%))
$(BUILD)/asan/helpers/events: $(EVENTS:%=$(BUILD)/asan/%)
$(BUILD)/asan/helpers/%: helpers/%.c $(SHARED:%=$(BUILD)/asan/%.o) | need-build $(BUILD)/asan/helpers
	$(call say,ASAN,$@)
	$(Q)$(link) $(SANITIZE)

$(BUILD)/asan/test/helpers/encode_test: $(ENCODE:%=$(BUILD)/asan/%)
$(BUILD)/asan/test/helpers/%: test/helpers/%.c $(SHARED:%=$(BUILD)/asan/%.o) | need-build $(BUILD)/asan/test/helpers
	$(call say,ASAN,$@)
	$(Q)$(link) $(SANITIZE)

# Fuzz targets: the helper's variables get sections of their own; see test/fuzz/fuzz.c
FUZZ_CFLAGS = -std=gnu11 -O1 -g $(WARNINGS) -Wno-unused-function -fno-sanitize-recover=all \
	-fsanitize=fuzzer-no-link,address,undefined
# what each calls of these is answered in test/fuzz
FUZZ_CALLS := exit syscall calloc reallocarray free
FUZZ_CALLS_dump := posix_spawn
FUZZ_CALLS_encode := posix_spawnp flock execv
FUZZ_CALLS_pins := unlink rmdir opendir renameat2 execv
$(BUILD)/fuzz/encode.o: $(wildcard helpers/encode/*.[ch])
$(BUILD)/fuzz/events.o: $(wildcard helpers/events/*.[ch])
$(BUILD)/fuzz/%.o: helpers/%.c $(SHARED:%=helpers/%.c) $(wildcard helpers/*.h bpf/*.h bpf/lib/hash.h) Makefile | need-check $(BUILD)/fuzz/%.d
	$(call say,FUZZ,$@)
	$(Q)for file in $(filter %.c,$^); do \
		$(CLANG) $(FUZZ_CFLAGS) -Dmain=helper_main -c $$file -o $(BUILD)/fuzz/$*.d/$$(basename $$file .c).o || exit; done
	$(Q)ld -r $(BUILD)/fuzz/$*.d/*.o -o $@
	$(Q)objcopy --rename-section .data=fuzz_data --rename-section .bss=fuzz_bss \
		--set-section-flags .bss=alloc,load,contents,data \
		$(foreach call,$(FUZZ_CALLS) $(FUZZ_CALLS_$*),--redefine-sym $(call)=fuzz_$(call)) $@

$(BUILD)/fuzz/%: test/fuzz/%_fuzz.c $(BUILD)/fuzz/%.o test/fuzz/fuzz.c $(wildcard test/fuzz/*.h)
	$(call say,FUZZ,$@)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer $(filter %.c %.o,$^) -o $@

$(FUZZERS:%=%.d):
	$(Q)mkdir -p $@

FOLDERS := $(BUILD) $(BACKENDS:%=$(BUILD)/%) $(BACKENDS:%=$(BUILD)/bench/%) $(BUILD)/override $(BUILD)/obj $(BUILD)/obj/encode $(BUILD)/obj/events $(BUILD)/helpers $(BUILD)/test \
	$(BUILD)/test/helpers $(BUILD)/asan $(BUILD)/asan/encode $(BUILD)/asan/events $(BUILD)/asan/helpers $(BUILD)/asan/test/helpers
$(FOLDERS):
	$(Q)mkdir -p $@

-include $(wildcard $(FOLDERS:%=%/*.d))
