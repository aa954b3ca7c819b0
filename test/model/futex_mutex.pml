// SPDX-License-Identifier: MIT
// futex_mutex (runtime/core/futex_mutex.hpp): one holder at a time, and nobody sleeps when it is free.
//
// -DBROKEN=1: a thread that slept takes the lock with 1 instead of 2, and so forgets others that sleep.
// 2: unlock does not wake.
#ifndef BROKEN
#define BROKEN 0
#endif
#define THREADS 3
#define ROUNDS 2

byte word;
byte holders;
bool asleep[THREADS];

inline wake_one() {
    atomic {
        if
        :: asleep[0] -> asleep[0] = false
        :: asleep[1] -> asleep[1] = false
        :: asleep[2] -> asleep[2] = false
        :: else
        fi
    }
}

active [THREADS] proctype thread() {
    byte i, before;
    do
    :: i < ROUNDS ->
        atomic { before = word; if :: before == 0 -> word = 1 :: else fi }
        do
        :: before == 0 -> break
        :: before != 0 ->
#if BROKEN == 1
            atomic { before = word; if :: before == 0 -> word = 1 :: else -> word = 2 fi }
#else
            atomic { before = word; word = 2 }
#endif
            if
            :: before != 0 ->
                atomic { if :: word == 2 -> asleep[_pid] = true :: else fi } // futex_wait
                !asleep[_pid]
            :: else
            fi
        od;
        holders++;
        assert(holders == 1);
        holders--;
        atomic { before = word; word = 0 }
#if BROKEN != 2
        if :: before == 2 -> wake_one() :: else fi;
#endif
        i++
    :: else -> break
    od
}
