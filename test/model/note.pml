// SPDX-License-Identifier: MIT
// note (runtime/sched/note.hpp): one sleeper, one waker, round after round.
//
// Claims: a wake-up is never lost; sleep returns only after it; after a sleep_for that returns false the note is
// clear and the wake-up still to come. Futex: the test of the word and falling asleep are one step; a sleeper
// may also wake for nothing.
//
// -DBROKEN=1: sleep writes 2 without looking whether 1 stands there. 2: a timed sleep clears the word without
// looking whether the waker came meanwhile.
#ifndef BROKEN
#define BROKEN 0
#endif
#define ROUNDS 3

byte word;      // 0 clear, 1 signalled, 2 clear with a sleeper
bool asleep;
bool interrupted; // once is enough to show that it does no harm
byte sent, got; // rounds

inline futex_wait(timed) { // while word == 2
    atomic { if :: word == 2 -> asleep = true :: else fi }
    if
    :: !asleep
    :: asleep && timed -> asleep = false
    :: asleep && !interrupted -> asleep = false; interrupted = true // for no reason
    fi
}

inline prepare() {
#if BROKEN == 1
    seen = word;
    word = 2;
    seen = 0
#else
    atomic { seen = word; if :: seen == 0 -> word = 2 :: else fi }
#endif
}

inline sleep() {
    prepare();
    if
    :: seen == 1
    :: else -> do :: word == 1 -> break :: word != 1 -> futex_wait(false) od
    fi
}

// woken: what it returns.
inline sleep_for() {
    prepare();
    woken = true;
    if
    :: seen == 1
    :: else ->
        do
        :: true -> futex_wait(true); if :: word == 1 -> break :: word != 1 fi
        :: true -> // too late
#if BROKEN == 2
            woken = (word == 1);
            word = 0;
#else
            atomic { if :: word == 2 -> word = 0; woken = false :: else fi }
#endif
            break
        od
    fi
}

active proctype sleeper() {
    byte seen;
    bool woken;
    do
    :: got < ROUNDS ->
        if
        :: true -> sleep(); woken = true
        :: true -> sleep_for()
        fi;
        if
        :: woken -> assert(word == 1); got++; assert(sent == got); word = 0 // clear
        :: else -> assert(word != 2)
        fi
    :: else -> break
    od
}

active proctype waker() {
    byte before;
    do
    :: sent < ROUNDS ->
        sent == got; // it knows by other means that the note is clear
        word != 1;
        sent++;
        atomic { before = word; word = 1 }
        assert(before != 1);
        if
        :: before == 2 -> asleep = false // futex_wake
        :: else
        fi
    :: else -> break
    od
}
