// SPDX-License-Identifier: MIT
#include <cerrno>
#include <csignal>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/os.hpp"

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

} // namespace weft::rt::os
