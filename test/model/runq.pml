// SPDX-License-Identifier: MIT
// The exclusion of a queue's owner and its thieves (runtime/sched/runq.hpp): O1–O5 against T1–T6.
//
// Claim: every item is taken once. Memory: the owner's stores go through a buffer, in order, which empties at any
// time; thieves use read-modify-writes and the heavy barrier, which empties the owner's buffer.
//
// -DBROKEN=1: no heavy barrier. 2: the owner does not look at robbed. 3: a thief that is done wakes nobody.
#ifndef BROKEN
#define BROKEN 0
#endif
#define ITEMS 3
#define THIEVES 2

byte head;
bool busy;
byte robbed;        // 0 free, 1 a thief is at it, 2 and the owner sleeps
bool asleep;
byte taken[ITEMS];

mtype = { to_head, to_busy };
chan buffer = [4] of { mtype, byte }; // the owner's stores

inline store(what, value) { buffer!what, value }

inline drain() {
    d_step {
        do
        :: len(buffer) > 0 ->
            buffer?what, value;
            if :: what == to_head -> head = value :: else -> busy = value fi
        :: else -> break
        od;
        value = 0
    }
}

active proctype memory() {
    mtype what;
    byte value;
end_memory:
    do
    :: atomic { buffer?what, value -> if :: what == to_head -> head = value :: else -> busy = value fi; value = 0 }
    od
}

active proctype owner() {
    byte tries, h, own_head;
    bool waits;
    do
    :: tries < ITEMS ->
enter:
        store(to_busy, 1);                                // O1; O2 is nothing to the processor
#if BROKEN != 2
        if                                                // O3
        :: robbed != 0 ->
            store(to_busy, 0);
            if
            :: robbed == 0
            :: else -> // a read-modify-write: its buffered stores are out before
                len(buffer) == 0;
                atomic { if :: robbed == 1 -> robbed = 2; waits = true :: else -> waits = false fi }
                if
                :: waits ->
                    atomic { if :: robbed == 2 -> asleep = true :: else fi } // futex_wait
                    !asleep
                :: else
                fi
            fi;
            goto enter
        :: else
        fi;
#endif
        // O4. Its own stores that are still buffered are the newest, and nobody else has written since.
        h = (own_head > head -> own_head : head);
        if
        :: h < ITEMS -> taken[h] = taken[h] + 1; own_head = h + 1; store(to_head, h + 1)
        :: else
        fi;
        store(to_busy, 0);                                // O5
        tries++
    :: else -> break
    od
}

active [THIEVES] proctype thief() {
    byte h, value;
    mtype what;
    bool won, slept;
    atomic { if :: robbed == 0 -> robbed = 1; won = true :: else fi } // T1
    if
    :: won ->
#if BROKEN != 1
        drain();                                          // T2
#endif
        if                                                // T3
        :: !busy ->
            h = head;                                     // T4
            if
            :: h < ITEMS -> taken[h] = taken[h] + 1; head = h + 1 // T5
            :: else
            fi
        :: busy                                           // gives up
        fi;
        atomic { slept = (robbed == 2); robbed = 0 }      // T6
#if BROKEN != 3
        if :: slept -> asleep = false :: else fi          // futex_wake
#endif
    :: else
    fi
}

active proctype check() {
    timeout;
    assert(taken[0] == 1 && taken[1] == 1 && taken[2] == 1)
}
