// SPDX-License-Identifier: MIT
// Taking a P from a goroutine in its own code (runtime/sched/entry.hpp): E1–E3 and L1 against T1–T4.
//
// Claim: whoever is inside has a P, and nobody else has it. Two ms with a P each, and one goroutine more than ms, so
// that a goroutine can be left by one and run by the other while a taker looks.
//
// Memory: of the owner's stores only E1 has a load behind it that matters, so it alone stands in a buffer, which empties
// at any time, before any later store of the same m, and at the taker's heavy barrier.
//
// -DBROKEN=1: no heavy barrier. 2: T3 looks once. 3: T4 takes lost away, too, when it finds the owner inside.
// 4: the owner does not look at the claim. 5: the crossing makes the arriving goroutine running before the other is left.
#ifndef BROKEN
#define BROKEN 0
#endif
#define MS 2
#define GS 3
#define NONE 7
#define STEPS 2 // stays inside, of each m
#define LOOKS 2 // of the taker

#define CLAIMED 1
#define LOST 2

mtype = { running, entered, runnable };

mtype status[GS] = runnable;
byte curg[MS] = NONE;
byte p_of[MS] = NONE;   // m.p
byte m_of[MS] = NONE;   // p.m
bool idle[MS];          // Ps that anybody may take
byte claim[MS];
bool buffered[MS];      // E1 is not yet seen
byte queued = NONE;     // the goroutine that nobody runs
byte inside_with[MS];   // how many use the P

#define DRAIN(m) if :: buffered[m] -> status[curg[m]] = entered; buffered[m] = false :: else fi

proctype m(byte id) {
    byte done, g, next, held;
    do
    :: done < STEPS ->
enter:
        g = curg[id];
        buffered[id] = true;                               // E1
#if BROKEN != 4
        if                                                 // E3
        :: claim[id] & CLAIMED ->
            atomic { DRAIN(id); status[g] = running }
            !(claim[id] & CLAIMED);
            goto enter
        :: (claim[id] & LOST) && !(claim[id] & CLAIMED) ->
            atomic { DRAIN(id); claim[id] = claim[id] & ~LOST }
            atomic {
                idle[0] || idle[1];
                if :: idle[0] -> held = 0 :: idle[1] -> held = 1 fi;
                idle[held] = false
            }
            p_of[id] = held;
            m_of[held] = id;
            goto enter
        :: claim[id] == 0
        fi;
#endif
        assert(p_of[id] != NONE);
        held = p_of[id];
        inside_with[held]++;
        assert(inside_with[held] == 1 && m_of[held] == id);
        if
        :: true ->                                         // it stays, and leaves
            inside_with[held]--;
            atomic { DRAIN(id); status[g] = running }      // L1
        :: queued != NONE ->                               // a crossing
            atomic { if :: queued != NONE -> next = queued; queued = NONE :: else -> next = NONE fi }
            if
            :: next == NONE -> inside_with[held]--; atomic { DRAIN(id); status[g] = running }
            :: else ->
#if BROKEN == 5
                status[next] = running;
#endif
                atomic { DRAIN(id); curg[id] = next }
                atomic { status[g] = runnable; queued = g }
                inside_with[held]--;
                status[next] = running
            fi
        :: true ->                                         // entersyscallblock
            inside_with[held]--;
            atomic { DRAIN(id); p_of[id] = NONE }
            m_of[held] = NONE;
            idle[held] = true;
            claim[id] = claim[id] | LOST;
            status[g] = running
        fi;
        done++
    :: else -> break
    od;
    // Its P is for the others, should they wait for one.
    if
    :: atomic { !(claim[id] & CLAIMED) && p_of[id] != NONE && !buffered[id] ->
            held = p_of[id]; p_of[id] = NONE; m_of[held] = NONE; idle[held] = true; status[curg[id]] = entered }
    :: p_of[id] == NONE
    fi
}

active [MS] proctype buffer() {
end:
    do
    :: atomic { buffered[_pid] -> DRAIN(_pid) }
    od
}

inline look(yes) {
    c = curg[it];
    yes = c != NONE && c == first;
    if
    :: yes -> yes = status[c] == running
    :: else
    fi
}

proctype taker() {
    byte looks, pn, it, c, first;
    bool outside;
    do
    :: looks < LOOKS ->
        if :: pn = 0 :: pn = 1 fi;
        it = m_of[pn];                                     // T1
        if
        :: it != NONE ->
            atomic { if :: claim[it] == 0 -> claim[it] = CLAIMED :: else -> goto next fi }
#if BROKEN != 1
            atomic { DRAIN(0); DRAIN(1) }                  // T2
#endif
            first = curg[it];                              // T3
            look(outside);
#if BROKEN != 2
            if :: outside -> look(outside) :: else fi;
#endif
            if
            :: outside && p_of[it] == pn ->                // T4
                p_of[it] = NONE;
                m_of[pn] = NONE;
                claim[it] = LOST;
                idle[pn] = true
            :: else ->
#if BROKEN == 3
                claim[it] = 0
#else
                claim[it] = claim[it] & ~CLAIMED
#endif
            fi
        :: else
        fi;
next:
        looks++
    :: else -> break
    od
}

init {
    atomic {
        curg[0] = 0; p_of[0] = 0; m_of[0] = 0; status[0] = running;
        curg[1] = 1; p_of[1] = 1; m_of[1] = 1; status[1] = running;
        queued = 2;
        run m(0);
        run m(1);
        run taker()
    }
}
