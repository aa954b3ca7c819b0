// SPDX-License-Identifier: MIT
#include "sched/timers.hpp"

#include <algorithm>
#include <array>
#include <mutex>

#include "core/tools.hpp"
#include "sched/proc.hpp"

namespace weft::rt {

namespace {

void lower(atomic<std::int64_t>& least, std::int64_t when) noexcept {
    std::int64_t seen = least.load(relaxed);
    while ((seen == 0 || when < seen) && !least.compare_exchange_weak(seen, when, release, relaxed)) {
    }
}

} // namespace

std::int64_t timers::next_when() const noexcept {
    const std::int64_t heap = min_heap_.load(acquire);
    const std::int64_t moved = min_modified_.load(acquire);
    if (heap == 0 || moved == 0) return heap + moved;
    return std::min(heap, moved);
}

void timers::publish() noexcept {
    min_heap_.store(heap_.empty() ? 0 : heap_.front().when, release);
    if (heap_.empty()) min_modified_.store(0, relaxed); // nothing is left that could be moved
    size_.store(heap_.size(), relaxed);
}

void timers::sift_up(std::size_t i) noexcept {
    const entry e = heap_[i];
    while (i > 0) {
        const std::size_t parent = (i - 1) / arity;
        if (e.when >= heap_[parent].when) break;
        heap_[i] = heap_[parent];
        i = parent;
    }
    heap_[i] = e;
}

void timers::sift_down(std::size_t i) noexcept {
    const entry e = heap_[i];
    for (;;) {
        const std::size_t first = i * arity + 1;
        if (first >= heap_.size()) break;
        const std::size_t last = std::min(first + arity, heap_.size());
        std::size_t least = first;
        for (std::size_t child = first + 1; child < last; child++)
            if (heap_[child].when < heap_[least].when) least = child;
        if (e.when <= heap_[least].when) break;
        heap_[i] = heap_[least];
        i = least;
    }
    heap_[i] = e;
}

void timers::pop() noexcept {
    heap_.front() = heap_.back();
    heap_.pop_back();
    if (!heap_.empty()) sift_down(0);
}

/// Makes the entry and the timer agree. False: it is a zombie, and the heap is to let go of it.
bool timers::put_right(entry& e) noexcept {
    timer* t = e.t;
    const std::lock_guard hold(t->lock);
    if ((t->state & timer::zombie) != 0) {
        t->state = 0;
        t->ts = nullptr;
        zombies_.fetch_sub(1, relaxed);
        return false;
    }
    t->state &= ~timer::modified;
    e.when = t->heaped_for = t->when;
    return true;
}

void timers::clean_head() noexcept {
    while (!heap_.empty()) {
        timer* t = heap_.front().t;
        const std::int64_t before = heap_.front().when;
        if (!put_right(heap_.front())) {
            pop();
            if (t->discard != nullptr) t->discard(t, false);
        } else if (heap_.front().when == before) {
            return;
        } else {
            sift_down(0);
        }
    }
}

/// All of them, if that is due: Go does so once something was moved to before now, or more than a quarter are zombies.
void timers::adjust(std::int64_t now) noexcept {
    const std::int64_t moved = min_modified_.load(acquire);
    const bool some_moved = moved != 0 && moved <= now;
    const bool many_zombies = zombies_.load(relaxed) > static_cast<std::int64_t>(heap_.size() / 4);
    if (!some_moved && !many_zombies) return;
    min_modified_.store(0, relaxed); // first: who moves one from now on puts a new minimum
    std::erase_if(heap_, [this](entry& e) {
        timer* t = e.t;
        if (put_right(e)) return false;
        if (t->discard != nullptr) t->discard(t, false);
        return true;
    });
    for (std::size_t i = heap_.size() / arity + 1; i-- > 0;)
        if (i < heap_.size()) sift_down(i);
}

void timers::start(timer* t, std::int64_t when) {
    const std::lock_guard hold(lock_);
    {
        const tools::race_ignored quiet;
        heap_.push_back({when, t});
    }
    {
        const std::lock_guard hold_it(t->lock);
        t->when = t->heaped_for = when;
        t->state = timer::heaped;
        t->ts = this;
    }
    sift_up(heap_.size() - 1);
    publish();
}

bool timers::stop(timer* t) noexcept {
    if (t->when == 0) return false;
    t->when = 0;
    if ((t->state & timer::heaped) != 0 && (t->state & timer::zombie) == 0) {
        t->state |= timer::modified | timer::zombie;
        t->ts->zombies_.fetch_add(1, relaxed);
    }
    return true;
}

bool timers::move(timer* t, std::int64_t when, bool& was_pending, bool& earlier) noexcept {
    was_pending = t->when != 0;
    earlier = false;
    if ((t->state & timer::heaped) == 0) return false;
    if ((t->state & timer::zombie) != 0) t->ts->zombies_.fetch_sub(1, relaxed);
    t->state = timer::heaped | timer::modified;
    t->when = when;
    if (when < t->heaped_for) {
        lower(t->ts->min_modified_, when);
        earlier = true;
    }
    return true;
}

std::size_t timers::take_due(timer** due, std::int64_t now) noexcept {
    const std::lock_guard hold(lock_);
    adjust(now);
    std::size_t n = 0;
    while (n < batch) {
        clean_head();
        if (heap_.empty() || heap_.front().when > now) break;
        timer* t = heap_.front().t;
        {
            const std::lock_guard hold_it(t->lock);
            if ((t->state & timer::modified) != 0) continue; // just now
            t->state = 0;
            t->when = 0;
            t->ts = nullptr;
            if (t->popped != nullptr) t->popped(t);
        }
        pop();
        due[n++] = t;
    }
    publish();
    return n;
}

void timers::run_due(p* pp, std::int64_t now) {
    std::array<timer*, batch> due;
    std::size_t n;
    do {
        n = take_due(due.data(), now);
        for (std::size_t i = 0; i < n; i++) due[i]->fire(due[i], pp);
    } while (n == batch);
}

void timers::make_room(std::size_t more) {
    const std::lock_guard hold(lock_);
    heap_.reserve(heap_.size() + more);
}

void timers::take_all(timers& from) noexcept {
    const std::lock_guard hold(lock_);
    const std::lock_guard hold_from(from.lock_);
    for (entry e : from.heap_) {
        if (from.put_right(e)) {
            {
                const std::lock_guard hold_it(e.t->lock);
                e.t->ts = this;
            }
            heap_.push_back(e);
            sift_up(heap_.size() - 1);
        } else if (e.t->discard != nullptr) {
            e.t->discard(e.t, false);
        }
    }
    from.heap_.clear();
    from.publish();
    publish();
}

void timers::discard_all() noexcept {
    const std::lock_guard hold(lock_);
    for (const entry& e : heap_) {
        bool pending;
        {
            const std::lock_guard hold_it(e.t->lock);
            pending = e.t->when != 0;
            e.t->state = 0;
            e.t->when = 0;
            e.t->ts = nullptr;
        }
        if (e.t->discard != nullptr) e.t->discard(e.t, pending);
    }
    heap_.clear();
    publish();
}

} // namespace weft::rt
