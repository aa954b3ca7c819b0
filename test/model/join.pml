// SPDX-License-Identifier: MIT
// g.joining (runtime/sched/handle.cpp; settle, retire and exit_to_next in newproc.cpp; teardown in runtime.cpp):
// the goroutine E that ends, the handle's owner, who joins (J) or drops the handle (D), and the runtime's end (T).
//
// Claims: a joiner continues once, with the result in place; a result is destroyed once, by E on its own stack or
// by the handle's owner; a descriptor serves again only when nobody knows it any more; its slab is freed once,
// when both runtime and handle are gone.
//
// The owner is a goroutine of the runtime, or (outside) a thread of the host's, which knows nothing of the
// runtime's end and never joins before the goroutine has finished.
//
// -DBROKEN=1: E3 is a load and a store instead of one exchange. 2: E does not settle a result that nobody waits for
// (E2). 3: the joiner does not look at the word again once it is off its stack (J1). 4: D does not wait for an E that
// has still to pass the scheduler (D2). 5: a thread of the host's gives the descriptor back without the CAS.
#ifndef BROKEN
#define BROKEN 0
#endif
#define PENDING 0
#define FINISHED 1
#define ENDED 2
#define DETACHED 3
#define KEPT 4
#define JOINER 5

byte joining = PENDING;
bool result;        // it stands in the descriptor
byte destroyed;
bool reusable;      // on a free list
byte slab = 1;      // its owners: the runtime, and each handle that outlives it
bool woken, e_done, owner_inside_done, owner_done, runtime_gone;

inline touch() { assert(!reusable && slab > 0) }
inline destroy() { touch(); assert(result); result = false; destroyed++ }
inline drop_owner() { assert(slab > 0); slab-- }

active proctype E() {
    byte before;
    touch();
    result = true;                                        // E1
#if BROKEN != 2
    atomic { before = joining; if :: before == PENDING -> joining = ENDED :: else fi }
    if
    :: before == DETACHED -> destroy()                    // E2
    :: else
    fi;
#endif
    touch();                                              // its stack is put away
    if
    :: joining == JOINER -> touch(); joining = FINISHED; woken = true // exit_to_next: nobody else writes it now
    :: true ->
#if BROKEN == 1
        before = joining;
        joining = FINISHED;
#else
        atomic { before = joining; joining = FINISHED }   // E3
#endif
        if
        :: before == DETACHED -> atomic { joining = DETACHED; touch(); assert(!result); reusable = true }
        :: before == JOINER -> woken = true               // ready
        :: else
        fi
    fi;
    e_done = true
}

// D3, inside or outside of the runtime.
inline let_go(outside) {
    destroy();
    if
    :: !outside -> atomic { touch(); joining = DETACHED; reusable = true }
    :: outside ->
#if BROKEN == 5
        seen = joining;
        if :: seen == FINISHED -> joining = DETACHED :: else fi;
#else
        atomic { seen = joining; if :: seen == FINISHED -> joining = DETACHED :: else fi }
#endif
        if
        :: seen == FINISHED                               // unused until the runtime ends
        :: else -> assert(seen == KEPT); drop_owner()
        fi
    fi
}

inline drop(outside) {
    atomic { seen = joining; if :: seen == PENDING -> joining = DETACHED :: else fi } // D1
    if
    :: seen == PENDING
    :: else ->
#if BROKEN != 4
        joining == FINISHED || joining == KEPT;           // D2
#endif
        let_go(outside)
    fi
}

active proctype owner() {
    byte seen;
    if
    :: // J
        if
        :: joining == FINISHED
        :: else ->
#if BROKEN == 3
            joining = JOINER;
            seen = JOINER;
#else
            atomic { seen = joining; if :: seen == PENDING || seen == ENDED -> joining = JOINER; seen = JOINER :: else fi }
#endif
            if
            :: seen == JOINER -> woken
            :: else -> assert(seen == FINISHED)           // J1
            fi
        fi;
        assert(joining == FINISHED && result);
        let_go(false);
        owner_inside_done = true
    :: drop(false); owner_inside_done = true
    :: owner_inside_done = true; drop(true)
    fi;
    owner_done = true
}

// T: every goroutine has finished, and every owner that was one.
active proctype teardown() {
    byte state;
    e_done && owner_inside_done;
    state = joining;
    if
    :: state == DETACHED
    :: else ->
        assert(state == FINISHED);
        slab++;
        atomic { if :: joining == state -> joining = KEPT; state = KEPT :: else fi }
        if
        :: state == KEPT
        :: else -> drop_owner()
        fi
    fi;
    drop_owner();
    runtime_gone = true
}

active proctype end() {
    timeout;
    assert(e_done && owner_done && runtime_gone);
    assert(destroyed == 1);
    assert(slab == 0)
}
