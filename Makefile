# Makefile -- the whole build: one file, no recursion.
# SPDX-License-Identifier: Apache-2.0
#
#   make                    build/stagedoor, mode debug, gcc
#   make MODE=release       modes: debug, asan (with UBSan), tsan, release
#   make MODE=fuzz CC=clang build/fuzz-clang/id     a fuzz target, src/*/id_fuzz.c, with libFuzzer; "fuzz": all
#   make CC=clang           each mode and compiler has its own folder: build/$(MODE)-$(CC)
#   make check-unit         the unit and scenario tests;  T='money -v' chooses and tells
#   make lint format format-check compile_commands.json clean
#
# Sources are found by wildcard: a new file in src/*/, src/services/*/ or test/ needs no line here.

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

MODE ?= debug
ifeq ($(origin CC),default)
CC := gcc
endif
B := build/$(MODE)-$(notdir $(CC))

# "CC  file" instead of the command; V=1 shows the commands.
ifeq ($(V),)
say = @printf '  %-5s %s\n' '$(1)' '$(2)';
endif

# --- What there is -------------------------------------------------------------------------------

C_SRC    := $(sort $(wildcard src/*.c src/*/*.c src/services/*/*.c))
FUZZ_SRC := $(filter %_fuzz.c,$(C_SRC))
TEST_SRC := $(filter %_test.c,$(C_SRC)) $(FUZZ_SRC) $(sort $(wildcard test/*.c))
PROG_SRC := $(filter-out %_test.c %_fuzz.c,$(C_SRC))
HEADERS  := $(sort $(wildcard src/*/*.h src/services/*/*.h test/*.h))
SCHEMA   := $(sort $(wildcard schema/*.sql))
WEB      := $(sort $(shell find build/web -type f 2>/dev/null))

GEN_OBJ  := $(addprefix $(B)/gen/,web_files.o web_files_bytes.o schema_files.o schema_files_bytes.o)
PROG_OBJ := $(PROG_SRC:%.c=$(B)/%.o) $(GEN_OBJ)
TEST_OBJ := $(filter-out $(B)/src/main.o,$(PROG_OBJ)) $(TEST_SRC:%.c=$(B)/%.o) $(B)/gen/sql_literals.o

# --- Flags ---------------------------------------------------------------------------------------

PACKAGES := libmicrohttpd sqlite3 libpq libcurl libcrypto libsodium jansson zlib libseccomp
ifeq ($(filter clean format,$(MAKECMDGOALS)),)
ifneq ($(shell pkg-config --exists $(PACKAGES) vips || echo missing),)
$(error Libraries are missing: run "./dev setup" first (it installs $(PACKAGES) vips and the rest))
endif
endif
# As system folders, so that our warnings stop at our own files.
system_cflags = $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(1)))
LIBS := $(shell pkg-config --libs $(PACKAGES)) -ldl -lpthread -lm

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wvla -Wmissing-prototypes \
        -Wstrict-prototypes -Wformat=2 -Wimplicit-fallthrough -Wundef -Wpointer-arith -Werror
GCC := $(findstring gcc,$(notdir $(CC)))
ifneq ($(GCC),)
WARN += -Wtrampolines -Wbidi-chars=any
endif
GCC_ONLY := -Wtrampolines -Wbidi-chars=any -ftrivial-auto-var-init=zero -fzero-call-used-regs=used-gpr -mharden-sls=all -flto=auto

CPPFLAGS := -Isrc -I. -D_GNU_SOURCE= -include base/banned.h $(call system_cflags,$(PACKAGES))
CFLAGS   := -std=gnu17 -g $(WARN) -fno-strict-aliasing -fno-strict-overflow \
            -fno-delete-null-pointer-checks -ffile-prefix-map=$(CURDIR)=. \
            -ffunction-sections -fdata-sections
LDFLAGS  := -Wl,--as-needed -Wl,--gc-sections

ifeq ($(MODE),debug)
CFLAGS += -O1 -fno-omit-frame-pointer
else ifeq ($(MODE),asan)
CFLAGS += -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
LDFLAGS += -fsanitize=address,undefined
else ifeq ($(MODE),fuzz)
ifneq ($(GCC),)
$(error libFuzzer is clang's: make MODE=fuzz CC=clang)
endif
CFLAGS += -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LDFLAGS += -fsanitize=fuzzer,address,undefined
else ifeq ($(MODE),tsan)
CFLAGS += -O1 -fno-omit-frame-pointer -fsanitize=thread
LDFLAGS += -fsanitize=thread
else ifeq ($(MODE),release)
# Only what takes effect on Debian 12 (gcc 12, clang 14); -fcf-protection, for one, does not.
CFLAGS += -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
          -fstack-clash-protection -fPIE
LDFLAGS += -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code
ifneq ($(GCC),)
CFLAGS += -ftrivial-auto-var-init=zero -fzero-call-used-regs=used-gpr -flto=auto
seed = -frandom-seed=$@
LDFLAGS += -O2 -flto=auto -ffile-prefix-map=$(CURDIR)=.
ifeq ($(shell uname -m),x86_64)
CFLAGS += -mharden-sls=all
endif
endif
else
$(error MODE is debug, asan, tsan, fuzz or release)
endif

# Only headers: the image worker opens libvips at run time, in its jail.
$(B)/src/sys/image_worker.o: CPPFLAGS += $(call system_cflags,vips)

# --- Rules ---------------------------------------------------------------------------------------

# A list that changed (a file removed, another flag) must rebuild what hangs on it.
# $(call remember,file,text): the file's date moves only when the text differs.
same = $(and $(findstring $(1),$(2)),$(findstring $(2),$(1)))
remember = $(shell mkdir -p $(dir $(1)))$(if $(call same,$(strip $(file <$(1))),$(strip : $(2))),,$(file >$(1),$(strip : $(2))))
ifeq ($(filter clean,$(MAKECMDGOALS)),)
$(call remember,$(B)/flags,$(CC) $(CPPFLAGS) $(CFLAGS))
$(call remember,$(B)/program.list,$(PROG_OBJ) $(LDFLAGS) $(LIBS))
$(call remember,$(B)/tests.list,$(TEST_OBJ) $(LDFLAGS) $(LIBS))
$(call remember,build/gen/web.list,$(WEB))
$(call remember,build/gen/schema.list,$(SCHEMA))
endif

.PHONY: all program tests fuzz check-unit lint format format-check clean

# build/stagedoor is the program that was asked for last; "program" leaves it alone.
all: program
	@ln -sfn $(B:build/%=%)/stagedoor build/stagedoor
program: $(B)/stagedoor
tests: $(B)/tests

$(B)/stagedoor: $(PROG_OBJ) $(B)/program.list
	$(call say,LINK,$@)$(CC) $(LDFLAGS) -o $@ $(PROG_OBJ) $(LIBS)
ifeq ($(MODE),release)
	@objcopy --only-keep-debug $@ $@.debug
	@strip $@
	@objcopy --add-gnu-debuglink=$@.debug $@
endif

# The control of test/threads: one file takes no locks.
unguarded: $(B)/stagedoor-unguarded
.PHONY: unguarded
$(B)/stagedoor-unguarded: $(B)/stagedoor test/threads/unguarded.h
	$(call say,CC,$@)$(CC) $(CPPFLAGS) $(CFLAGS) -include test/threads/unguarded.h -c -o $@.o src/server/request.c
	$(call say,LINK,$@)$(CC) $(LDFLAGS) -o $@ $@.o $(filter-out $(B)/src/server/request.o,$(PROG_OBJ)) $(LIBS)

$(B)/tests: $(TEST_OBJ) $(B)/tests.list
	$(call say,LINK,$@)$(CC) $(LDFLAGS) -o $@ $(TEST_OBJ) $(LIBS)

# One program a target: what libFuzzer looks at after each input should be no larger than what the target can reach. Those of
# base are linked with base alone, the others with the program and the tests' house, whose own main gives way to libFuzzer's.
ifeq ($(MODE),fuzz)
FUZZ_BASE := $(filter $(B)/src/base/%,$(PROG_OBJ)) $(B)/test/fuzz.o
FUZZ_ALL  := $(filter-out $(B)/src/main.o,$(PROG_OBJ)) $(patsubst %.c,$(B)/%.o,$(filter-out %_test.c test/corpus.c,$(wildcard test/*.c)))
$(B)/test/unit.o: CFLAGS += -Dmain=unit_main -Wno-missing-prototypes
define fuzz_target
fuzz: $(B)/$(patsubst %_fuzz.c,%,$(notdir $(1)))
$(B)/$(patsubst %_fuzz.c,%,$(notdir $(1))): $(1:%.c=$(B)/%.o) $(if $(filter src/base/%,$(1)),$(FUZZ_BASE),$(FUZZ_ALL))
	$$(call say,LINK,$$@)$(CC) $(LDFLAGS) -o $$@ $$^ $(LIBS)
endef
$(foreach f,$(FUZZ_SRC),$(eval $(call fuzz_target,$(f))))
endif

$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CPPFLAGS) $(CFLAGS) $(seed) -MMD -MP -c -o $@ $<

$(B)/gen/%.o: build/gen/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CPPFLAGS) $(CFLAGS) $(seed) -MMD -MP -c -o $@ $<
$(B)/gen/%.o: build/gen/%.S
	@mkdir -p $(@D)
	$(call say,AS,$@)$(CC) -c -o $@ $<

-include $(wildcard $(B)/src/*.d $(B)/src/*/*.d $(B)/src/services/*/*.d $(B)/test/*.d $(B)/gen/*.d)

# Files linked into the program: bytes by .incbin, a table in C (src/server/web_files.h, src/core/schema_files.h).
build/gen/web_files.c build/gen/web_files_bytes.S &: $(WEB) build/gen/web.list tools/embed
	$(call say,EMBED,$@)tools/embed web build/web build/gen
build/gen/schema_files.c build/gen/schema_files_bytes.S &: $(SCHEMA) build/gen/schema.list tools/embed
	$(call say,EMBED,$@)tools/embed schema schema build/gen

# The SQL of the program, for the test that prepares each statement on both engines.
build/gen/sql_literals.c: build/gen/sql_literals.stamp ;
build/gen/sql_literals.stamp: $(PROG_SRC) $(HEADERS) tools/sql_literals
	@tools/sql_literals build/gen/sql_literals.c && touch $@

# --- Tests, lints, form --------------------------------------------------------------------------

check-unit: $(B)/tests
	$(B)/tests -j2 $(T)

lint:
	tools/lint --self-test
	tools/lint

FORMATTED := $(PROG_SRC) $(TEST_SRC) $(HEADERS)
format:
	clang-format -i $(FORMATTED)
# Only what has changed since it was found good.
format-check: build/format.stamp
build/format.stamp: $(FORMATTED) .clang-format
	@mkdir -p build
	@printf '%s\n' $(filter %.c %.h,$(if $(filter .clang-format,$?),$^,$?)) | xargs -P$(shell nproc) -n40 clang-format --dry-run -Werror
	@touch $@

# clang-tidy, with the flags that each file is compiled with.
tidy: compile_commands.json
	printf '%s\n' $(PROG_SRC) | xargs -P$(shell nproc) -n4 clang-tidy --quiet -p .
.PHONY: tidy

# For editors and clang-tidy, which speak clang.
comma := ,
define compile_command
{"directory":"$(CURDIR)"$(comma)"file":"$(1)"$(comma)"command":"clang $(CPPFLAGS) \
$(if $(findstring image_worker,$(1)),$(call system_cflags,vips)) $(filter-out $(GCC_ONLY),$(CFLAGS)) -c $(1)"}
endef
compile_commands.json: Makefile $(B)/program.list $(B)/tests.list $(B)/flags
	$(file >$@,[)
	$(foreach s,$(PROG_SRC) $(TEST_SRC),$(file >>$@,$(call compile_command,$(s))$(comma)))
	@sed -i '$$ s/,$$/]/' $@

clean:
	rm -rf build/*-gcc build/*-clang build/gen build/stagedoor compile_commands.json
