// SPDX-License-Identifier: MIT
// The Ps of a runtime. Go: allp, gomaxprocs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>

#include "atomic.hpp"
#include "sched/m.hpp"
#include "weft/runtime.hpp"

namespace weft::rt {

struct layout;

/// Those in use have the ids 0 … size() − 1. A P that is made lives as long as the runtime, so whoever reads without a
/// lock while their number changes (procresize.cpp) sees Ps that exist; those out of use are empty and have no m.
class p_list {
public:
    class iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = p*;
        using difference_type = std::ptrdiff_t;
        using pointer = void;
        using reference = p*;

        explicit iterator(const std::unique_ptr<p>* at) noexcept : at_(at) {}
        p* operator*() const noexcept { return at_->get(); }
        iterator& operator++() noexcept {
            ++at_;
            return *this;
        }
        bool operator==(const iterator&) const noexcept = default;

    private:
        const std::unique_ptr<p>* at_;
    };

    /// Ps in use.
    std::int32_t size() const noexcept { return size_.load(acquire); }
    p* operator[](std::size_t id) const noexcept { return ps_[id].get(); }
    iterator begin() const noexcept { return iterator(ps_.data()); }
    iterator end() const noexcept { return iterator(ps_.data() + size()); }

    /// All that were ever made.
    std::int32_t made() const noexcept { return made_.load(acquire); }

    /// The next one, not in use yet. By one at a time.
    void add(std::unique_ptr<p> pp) noexcept {
        const std::int32_t n = made();
        ps_[static_cast<std::size_t>(n)] = std::move(pp);
        made_.store(n + 1, release); // who sees the number sees the P
    }
    /// Of those made, so many are in use. While the world is stopped.
    void use(std::int32_t n) noexcept { size_.store(n, release); }

private:
    friend struct layout; // for debuggers
    std::array<std::unique_ptr<p>, max_procs> ps_;
    atomic<std::int32_t> size_{0};
    atomic<std::int32_t> made_{0};
};

} // namespace weft::rt
