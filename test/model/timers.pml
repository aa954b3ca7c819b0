// SPDX-License-Identifier: MIT
// Who wakes for the next timer (runtime/sched/timer_sleep.cpp): A1–A4 against S1–S5.
//
// Claim: when nothing moves any more, somebody sleeps until the earliest timer, no longer. The goroutine that starts the
// timers computes for ever afterwards, so that its own P does not help; two other ms are idle or about to be.
//
// Memory: A1 goes through a store buffer, which empties at any time, before a later store, and at a heavy barrier.
//
// -DBROKEN=1: S3 and the searcher's barrier are missing. 2: the sleeper does not look again (S4). 3: who starts a timer
// earlier than the sleeper's wakes nobody. 4: no sleeper, and who starts a timer wakes nobody. 5: who is not the sleeper
// does not ask how long that one sleeps.
#ifndef BROKEN
#define BROKEN 0
#endif
#define MS 4 // ms that may exist
#define NONE 9

byte timer = NONE;    // when, as others see it
byte buffered = NONE;
bool has_sleeper;
byte until = NONE;
bool note;
byte nmspinning;
bool parked[MS];      // on midle
byte made = 2;
byte npidle;          // of one P; the goroutine has another
bool woken[MS];

inline drain() { if :: buffered != NONE -> timer = buffered; buffered = NONE :: else fi }

active proctype memory() {
end:
    do
    :: atomic { buffered != NONE -> drain() }
    od
}

// With nmspinning raised from 0 to 1 by the caller. The others have given their Ps back, so there is one for an m that
// sleeps, or for a new one; where MS are too few it waits for one that is about to sleep.
inline wake_one() {
    if
    :: atomic { npidle > 0 -> npidle--;
        made < MS || parked[0] || parked[1] || parked[2] || parked[3];
        k = 0;
        do
        :: k < MS && !parked[k] -> k++
        :: else -> break
        od;
        if
        :: k < MS -> parked[k] = false; woken[k] = true
        :: else -> run m(made, true); made++
        fi }
    :: atomic { npidle == 0 -> nmspinning-- }
    fi
}

active proctype goroutine() {
    byte when = 3, k;
    bool won;
    do
    :: when > 0 ->
        atomic { drain(); buffered = when }                // A1; A2 is nothing to the processor
        if                                                 // A3
        :: npidle == 0
        :: npidle > 0 && !has_sleeper ->
#if BROKEN != 4
            if
            :: nmspinning == 0 ->
                atomic { if :: nmspinning == 0 -> drain(); nmspinning = 1; won = true :: else -> won = false fi }
                if :: won -> wake_one() :: else fi
            :: else
            fi
#else
            skip
#endif
        :: npidle > 0 && has_sleeper ->
#if BROKEN != 3
            if :: when < until -> atomic { drain(); note = true } :: else fi // A4; until NONE: about to look
#else
            skip
#endif
        fi;
        when--
    :: else -> break
    od
}

proctype m(byte id; bool spinning) {
    bool won;
    byte seen;
    if :: parked[id] -> goto end_park :: else fi;
search:
    npidle++;
    if
    :: spinning ->
        atomic { nmspinning--; spinning = false }          // S2 of wake.cpp
#if BROKEN != 1
        atomic { drain() }
#endif
    :: else
    fi;
    if
    :: timer == NONE -> goto park
    :: else
    fi;
    atomic { won = !has_sleeper; has_sleeper = true }      // S1
    if
    :: !won ->
#if BROKEN != 5
        if :: timer < until && until != NONE -> note = true :: else fi;
#endif
        goto park
    :: else
    fi;
    note = false;
    seen = timer;                                          // S2
    until = seen;
#if BROKEN != 1
    atomic { drain() }                                     // S3
#endif
#if BROKEN != 2
    seen = timer;                                          // S4
    until = seen;
#endif
end_sleep:
    note;
    until = NONE;                                          // S5
    has_sleeper = false;
    if                                                     // an idle P, or none
    :: atomic { npidle > 0 -> npidle--; nmspinning++ }; spinning = true; goto search
    :: npidle == 0
    fi;
park:
    parked[id] = true;
end_park:
    woken[id];
    atomic { woken[id] = false; spinning = true }
    goto search
}

init {
    atomic {
        nmspinning = 1;
        run m(0, true);
        parked[1] = true;
        run m(1, false)
    }
    timeout;
    assert(has_sleeper && until == 1)
}
