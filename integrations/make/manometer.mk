# Times every recipe line as a step of its own, named after its target, under `manometer exec -- make`:
#
#   include manometer.mk
#
# Only when make runs inside a measured run; everywhere else, and without the program, recipes run as ever.
ifdef MANOMETER_RUN_FOLDER
MANOMETER ?= $(shell command -v manometer 2>/dev/null)
ifneq ($(MANOMETER),)
SHELL := $(MANOMETER)
.SHELLFLAGS = step --make $@ -- -c
endif
endif
