// SPDX-License-Identifier: MIT
// The idle and wake-up protocol of runtime/sched/wake.cpp and findrunnable (schedule.cpp).
//
// Claim: when nothing moves any more, no goroutine is queued while a P is idle. A goroutine may run for ever
// (hog), so it does not help that the owner of the queue will look at it again.
//
// Memory: the submitter's put goes through a store buffer, which empties at any time; this is the one store of
// a StoreLoad pair here that is not a read-modify-write. What is done under sched.lock is one step.
// A heavy barrier (membarrier) empties every buffer; a light one does nothing. Where there is no membarrier
// (-DSYMMETRIC) the light one empties its own buffer, and the heavy one is nothing but the searcher's
// own read-modify-write.
//
// -DBROKEN=1: S2 without its barrier. 2: no second look, S3. 3: what park's unlockf refuses (P4) is queued without
// the submitter's half. 4: a searcher that finds work in S3 but no P keeps that to itself (needspinning). 5: a waker
// that found no P takes itself out of nmspinning only after it has let go of sched.lock. 6: handoffp does not look
// at needspinning before it gives its P up.
#ifndef BROKEN
#define BROKEN 0
#endif
#ifndef NP
#define NP 2 // Ps
#endif
#ifndef NG
#define NG 2 // goroutines made, beside main
#endif
#define NM (NP + 2) // ms that may ever exist
#define NONE 15

byte queue[NP];     // as others see it
byte buffered[NP];  // put by its owner, not yet seen by others
byte global;
bool idle[NP];
byte npidle, nmspinning;
bool needspinning;
byte made;          // goroutines
byte ms;            // ms made
bool parked[NM];    // on midle
bool given[NM];     // nextp and the note: may go on
byte nextp[NM];
bool start_spinning[NM];

#if NP > 2
#define any_parked (parked[0] || parked[1] || parked[2] || parked[3] || parked[4])
#else
#define any_parked (parked[0] || parked[1] || parked[2] || parked[3])
#endif

#define DRAIN(p) queue[p] = queue[p] + buffered[p]; buffered[p] = 0

inline drain_all() { d_step { k = 0; do :: k < NP -> DRAIN(k); k++ :: else -> break od; k = 0 } }

// Under sched.lock: v becomes an idle P, or NONE and needspinning.
inline pidleget_spinning(v) {
    v = 0;
    do
    :: v < NP && !idle[v] -> v++
    :: else -> break
    od;
    if
    :: v < NP -> idle[v] = false; npidle--
    :: else -> v = NONE;
#if BROKEN != 4
        needspinning = true
#else
        skip
#endif
    fi
}

// Gives P v to an m that sleeps, or to a new one. Where NM are too few it waits for one that is about to sleep.
inline startm(v, spin) {
    atomic {
        any_parked || ms < NM;
        k = 0;
        do
        :: k < NM && !parked[k] -> k++
        :: else -> break
        od;
        if
        :: k < NM -> parked[k] = false; nextp[k] = v; start_spinning[k] = spin; given[k] = true
        :: else ->
            nextp[ms] = v; start_spinning[ms] = spin; given[ms] = true;
            ms++
        fi;
        k = 0
    }
}

inline wakep() {
    if
    :: nmspinning != 0 -> skip
    :: else ->
        atomic { if :: nmspinning == 0 -> nmspinning = 1; v = 1 :: else -> v = 0 fi }
        if
        :: v == 0 -> skip
        :: else ->
#if BROKEN == 5
            d_step { pidleget_spinning(v) }
            if :: v == NONE -> nmspinning-- :: else fi;
#else
            d_step { pidleget_spinning(v); if :: v == NONE -> nmspinning-- :: else fi }
#endif
            if
            :: v == NONE
            :: else -> startm(v, true)
            fi
        fi
    fi;
    v = 0
}

// W2, W3.
inline wake_after_put() {
#ifdef SYMMETRIC
    d_step { DRAIN(mine) }
#endif
    if
    :: npidle > 0 ->
        if
        :: nmspinning == 0 -> wakep()
        :: else
        fi
    :: else
    fi
}

inline put() { // W1
    if
    :: buffered[mine] = buffered[mine] + 1
    :: global++ // an overflow, under sched.lock
    fi
}

// found: whether one was taken from own queue; the owner sees its own buffered store.
inline take_own() {
    d_step {
        if
        :: queue[mine] > 0 -> queue[mine] = queue[mine] - 1; found = true
        :: queue[mine] == 0 && buffered[mine] > 0 -> buffered[mine] = buffered[mine] - 1; found = true
        :: else -> found = false
        fi
    }
}

inline become_spinning() { spinning = true; nmspinning++; needspinning = false }

proctype m(byte self) {
    byte mine, v, k;
    bool spinning, found;

    if
    :: self == 0 -> mine = 0; goto go_on // main runs on m0
    :: else -> goto sleep
    fi;

search:
    take_own();
    if :: found -> goto got :: else fi;
    d_step { if :: global > 0 -> global--; found = true :: else fi }
    if :: found -> goto got :: else fi;
    if
    :: spinning -> goto steal
    :: !spinning && 2 * nmspinning < NP - npidle -> become_spinning(); goto steal
    :: !spinning && !(2 * nmspinning < NP - npidle) -> goto give_up
    fi;

steal:
    v = 0;
    do
    :: v < NP ->
        d_step { if :: v != mine && queue[v] > 0 -> queue[v] = queue[v] - 1; found = true :: else fi }
        if :: found -> v = 0; goto got :: else -> v++ fi
    :: v < NP -> v++ // gave up on that victim: its owner was busy
    :: v == NP -> break
    od;
    v = 0;

give_up: // S1, under sched.lock
    atomic {
        if
        :: global > 0 -> global--; goto got
        :: global == 0 && !spinning && needspinning -> become_spinning(); goto search
        :: else -> assert(queue[mine] == 0 && buffered[mine] == 0); idle[mine] = true; npidle++
        fi
    }
    if
    :: !spinning -> goto stop
    :: else
    fi;
    spinning = false;
    atomic { assert(nmspinning > 0); nmspinning-- } // S2
#if BROKEN != 1
#ifndef SYMMETRIC
    drain_all();
#endif
#endif
#if BROKEN != 2
    v = 0; // S3
    do
    :: v < NP && queue[v] > 0 -> found = true; break
    :: v < NP && queue[v] == 0 -> v++
    :: v == NP && global > 0 -> found = true; break
    :: v == NP && global == 0 -> break
    od;
    v = 0;
    if
    :: found ->
        found = false;
        d_step { pidleget_spinning(v) }
        if
        :: v != NONE -> mine = v; v = 0; become_spinning(); goto search
        :: else -> v = 0
        fi
    :: else
    fi;
#endif

stop:
    parked[self] = true;
sleep:
end_sleep:
    atomic { given[self] -> given[self] = false; mine = nextp[self]; spinning = start_spinning[self] }
    goto search;

got:
    found = false;
    if
    :: spinning ->
        spinning = false;
        atomic { assert(nmspinning > 0); nmspinning-- }
        wakep() // resetspinning
    :: else
    fi;

go_on:
    do
    :: made < NG -> atomic { made++; put() } wake_after_put()
    :: made < NG -> // a park that is refused, after the switch to another goroutine (P4)
        atomic { made++; put() }
#if BROKEN != 3
        wake_after_put()
#endif
    :: goto search                 // the goroutine ends or parks
    :: goto end_hog                // it runs for ever
    :: ms < NM - 1 -> goto handoff // it ends tied to its thread, which ends, too
    od;

handoff:
    if
    :: queue[mine] + buffered[mine] > 0 || global > 0 -> startm(mine, false); goto end_gone
    :: else
    fi;
    if
    :: nmspinning == 0 ->
        if
        :: npidle == 0 -> atomic { if :: nmspinning == 0 -> nmspinning = 1; found = true :: else fi }
        :: else
        fi
    :: else
    fi;
    if
    :: found -> found = false; needspinning = false; startm(mine, true); goto end_gone
    :: else
    fi;
    atomic {
        if
        :: global > 0
#if BROKEN != 6
        :: global == 0 && needspinning -> found = true; nmspinning++; needspinning = false
        :: global == 0 && !needspinning -> idle[mine] = true; npidle++; goto end_gone
#else
        :: global == 0 -> idle[mine] = true; npidle++; goto end_gone
#endif
        fi
    }
    startm(mine, found);

end_gone:
    false;
end_hog:
    false
}

// The store buffers: each store may be seen at any time, and in the end is.
proctype memory() {
    byte k;
end_memory:
    do
    :: atomic { buffered[0] > 0 -> DRAIN(0) }
    :: atomic { buffered[NP - 1] > 0 -> DRAIN(NP - 1) }
#if NP > 2
    :: atomic { buffered[1] > 0 -> DRAIN(1) }
#endif
    od
}

init {
    byte i;
    atomic {
        i = 1;
        do :: i < NP -> idle[i] = true; npidle++; i++ :: else -> break od;
        ms = 1;
        i = 0;
        do :: i < NM -> run m(i); i++ :: else -> break od;
        run memory()
    }
    timeout; // nothing moves any more
    i = 0;
    do
    :: i < NP -> assert(npidle == 0 || (queue[i] == 0 && global == 0)); i++
    :: else -> break
    od
}
