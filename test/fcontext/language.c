/* SPDX-License-Identifier: MIT */
/* What the fibers of a language's runtime in C do: they declare the switch themselves, with types of their own, and
 * need neither Boost's headers nor ours. Exit status 0 when all went as it should. */
#include <stdlib.h>

struct switched {
    void* handle;
    void* data;
};

extern void* make_fcontext(void* stack_top, size_t size, void (*fn)(struct switched));
extern struct switched jump_fcontext(void* to, void* data);

struct message {
    int value;
    int ended;
};

static void fiber_main(struct switched from) {
    for (int i = 0; i < 10; i++) {
        struct message* m = from.data;
        m->value += i;
        from = jump_fcontext(from.handle, m);
    }
    ((struct message*)from.data)->ended = 1;
    jump_fcontext(from.handle, from.data);
    abort();
}

int main(void) {
    const size_t size = 64 * 1024;
    char* stack = malloc(size);
    struct message m = {0, 0};
    struct switched at = {make_fcontext(stack + size, size, fiber_main), NULL};
    int turns = 0;
    while (!m.ended) {
        at = jump_fcontext(at.handle, &m);
        if (at.data != &m) return 1;
        turns++;
    }
    free(stack);
    return turns == 11 && m.value == 45 ? 0 : 2;
}
