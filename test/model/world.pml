// SPDX-License-Identifier: MIT
// world.cpp: stopping every P, with the steps' names from there. Taking a P from a goroutine that is outside is one step
// here; retake.pml has what is inside it. Two Ps, three ms, a stopper without a P that stops the world twice, and once
// the runtime may end meanwhile.
//
// It holds: while the world stands no m has a P; afterwards no P is lost; the stopper comes to an end.
// BROKEN 1: idle Ps are collected once only. 2: an m does not look again under the lock before it gives its P to the
// stopper (G1). 3: the world goes on before gcwaiting is over (S1 and S2 the other way round). 4: a P that is on
// its way counts as stopped.
#ifndef BROKEN
#define BROKEN 0
#endif

#define NP 2
#define NM 3
#define NONE 9

mtype = { has_owner, on_idle_list, in_stoppers_hand, on_its_way };

mtype state[NP];
byte owner[NP]; // or NONE
byte has[NM];   // the P of an m, or NONE
byte given[NM]; // nextp, or NONE
bool outside[NM];
bool lost[NM];
bool asleep[NM];
bool gcwaiting, stopping, stands;
byte nstopped;
bool collected_once;

#if BROKEN == 4
#define EVERY_STOPPED (state[0] != has_owner && state[1] != has_owner && state[0] != on_idle_list && state[1] != on_idle_list)
#else
#define EVERY_STOPPED (nstopped == NP)
#endif
#define IDLE(i) (state[i] == on_idle_list)
#define TAKABLE(i) (state[i] == has_owner && owner[i] != NONE && outside[owner[i]])

inline give_back(p) { state[p] = on_idle_list }

// handoffp and startm: to an m that sleeps, or to the idle list.
inline handoff(p) {
	atomic {
		if
		:: stopping -> skip
		:: !stopping && asleep[0] -> asleep[0] = false; given[0] = p
		:: !stopping && asleep[1] -> asleep[1] = false; given[1] = p
		:: !stopping && asleep[2] -> asleep[2] = false; given[2] = p
		:: !stopping -> give_back(p)
		fi
	}
}

proctype M(byte me) {
	byte p;
	if
	:: has[me] == NONE -> goto sleep
	:: else
	fi;
find:
	if
	:: stopping -> goto over
	:: else
	fi;
	if
	:: gcwaiting -> // G1
		atomic {
			if
#if BROKEN == 2
			:: true ->
#else
			:: gcwaiting && !stopping ->
#endif
				p = has[me]; has[me] = NONE; owner[p] = NONE;
				state[p] = in_stoppers_hand; nstopped++;
				assert(gcwaiting || stopping); // else nobody gives it back
				goto sleep
			:: else -> goto find
			fi
		}
	:: else
	fi;
	if
	:: true -> goto running
	:: true -> // nothing to do
		atomic { p = has[me]; has[me] = NONE; owner[p] = NONE; give_back(p); goto sleep }
	:: true -> // entersyscallblock, stoplockedm: the P is on its way
		atomic { p = has[me]; has[me] = NONE; owner[p] = NONE; state[p] = on_its_way }
		handoff(p);
		goto sleep
	fi;
running:
	assert(!stands);
	outside[me] = true;
	if
	:: true
	:: stopping -> skip
	fi;
	atomic {
		outside[me] = false;
		if
		:: lost[me] -> lost[me] = false; goto get
		:: else -> goto find
		fi
	}
get: // R1, R2 of syscall.cpp
	atomic {
		if
		:: stopping -> goto over
		:: !stopping && IDLE(0) -> p = 0
		:: !stopping && IDLE(1) -> p = 1
		:: else -> goto sleep // the goroutine is on the global queue: whoever has a P may run it
		fi;
		state[p] = has_owner; owner[p] = me; has[me] = p
	}
	goto find;
sleep:
	atomic { asleep[me] = true }
end_asleep:
	atomic {
		(given[me] != NONE || stopping) ->
		if
		:: given[me] != NONE ->
			p = given[me]; given[me] = NONE;
			state[p] = has_owner; owner[p] = me; has[me] = p
		:: else -> goto over
		fi
	}
	if
	:: true -> goto find
	:: true -> goto running // its goroutine is tied to it: schedule() looks no further
	fi;
over:
	atomic {
		if
		:: has[me] != NONE -> p = has[me]; has[me] = NONE; owner[p] = NONE
		:: else
		fi
	}
}

inline look(i) {
	atomic {
		if
#if BROKEN == 1
		:: IDLE(i) && !collected_once -> state[i] = in_stoppers_hand; nstopped++
#else
		:: IDLE(i) -> state[i] = in_stoppers_hand; nstopped++
#endif
		:: else
		fi
	}
	atomic {
		if
		:: TAKABLE(i) ->
			has[owner[i]] = NONE; lost[owner[i]] = true; owner[i] = NONE;
			state[i] = in_stoppers_hand; nstopped++
		:: else
		fi
	}
}

proctype Stopper() {
	byte round;
	bool patient;
	do
	:: round == 2 || stopping -> break
	:: else ->
		round++;
		collected_once = false;
		atomic { if :: stopping -> goto over :: else -> gcwaiting = true fi } // T2
		if :: patient = true :: patient = false fi;
		do // T4
		:: EVERY_STOPPED -> break
		:: !patient -> break
		:: stopping -> break
		:: !EVERY_STOPPED && (TAKABLE(0) || TAKABLE(1) ||
#if BROKEN == 1
			(!collected_once && (IDLE(0) || IDLE(1)))
#else
			IDLE(0) || IDLE(1)
#endif
			) -> look(0); look(1); collected_once = true
		od;
		atomic {
			if
			:: EVERY_STOPPED && !stopping ->
				assert(has[0] == NONE && has[1] == NONE && has[2] == NONE);
				stands = true
			:: else
			fi
		}
		stands = false;
#if BROKEN == 3
		if :: state[0] == in_stoppers_hand -> state[0] = on_its_way; nstopped--; handoff(0) :: else fi;
		if :: state[1] == in_stoppers_hand -> state[1] = on_its_way; nstopped--; handoff(1) :: else fi;
		gcwaiting = false
#else
		bool first, second; // S1: the list is the starter's
		atomic {
			gcwaiting = false; nstopped = 0;
			first = state[0] == in_stoppers_hand; second = state[1] == in_stoppers_hand;
			if :: first -> state[0] = on_its_way :: else fi;
			if :: second -> state[1] = on_its_way :: else fi
		}
		if :: first -> handoff(0) :: else fi; // S2
		if :: second -> handoff(1) :: else fi
#endif
	od;
	// No P is lost: each is idle, has an owner, or is on its way to one.
	assert(stopping || (state[0] != in_stoppers_hand && state[1] != in_stoppers_hand));
over:
	skip
}

proctype End() {
	if
	:: stopping = true
	:: true
	fi
}

init {
	atomic {
		byte i;
		for (i : 0 .. NM - 1) { has[i] = NONE; given[i] = NONE }
		state[0] = has_owner; owner[0] = 0; has[0] = 0;
		state[1] = on_idle_list; owner[1] = NONE;
		run M(0); run M(1); run M(2); run Stopper(); run End()
	}
}
