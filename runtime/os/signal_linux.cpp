// SPDX-License-Identifier: MIT
#include <csignal>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "core/cpu.hpp"
#include "os/os.hpp"
#include "os/signal_frame.hpp"

namespace weft::rt::os {

bool send_signal(std::int32_t thread, int number, void* value) noexcept {
    siginfo_t info{};
    info.si_signo = number;
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_ptr = value;
    return syscall(SYS_rt_tgsigqueueinfo, getpid(), thread, number, &info) == 0;
}

#if defined(__x86_64__)
std::uintptr_t interrupted_pc(const void* frame) noexcept {
    return static_cast<std::uintptr_t>(static_cast<const ucontext_t*>(frame)->uc_mcontext.gregs[REG_RIP]);
}

void take_control_words(const void* frame) noexcept {
    const auto* saved = static_cast<const ucontext_t*>(frame)->uc_mcontext.fpregs;
    if (saved != nullptr) cpu::write_control_words(saved->mxcsr, saved->cwd);
}

bool frames_may_move() noexcept {
    constexpr int get_xcomp_perm = 0x1022;
    constexpr std::uint64_t amx_tile_data = std::uint64_t{1} << 18;
    std::uint64_t permitted = 0;
    return syscall(SYS_arch_prctl, get_xcomp_perm, &permitted) != 0 || (permitted & amx_tile_data) == 0;
}
#elif defined(__aarch64__)
std::uintptr_t interrupted_pc(const void* frame) noexcept {
    return static_cast<const ucontext_t*>(frame)->uc_mcontext.pc;
}

void take_control_words(const void*) noexcept {}

bool frames_may_move() noexcept { return true; }
#endif

} // namespace weft::rt::os
