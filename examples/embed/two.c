/* SPDX-License-Identifier: MIT */
/* Two coroutines in C on weft-core: one makes words, the other puts them together, and main asks for lines. Each has a
 * stack of its own; neither knows that the other is one. */
#include <stdio.h>
#include <string.h>

#include <weft/coroutine.h>

static const char text[] = "the warp is held under tension and the weft is drawn through it";

/* Yields the words of text, then null. */
static void* words(weft_coroutine* self, void* value) {
    static char word[32];
    (void)value;
    for (const char* at = text; *at != '\0';) {
        const size_t length = strcspn(at, " ");
        snprintf(word, sizeof word, "%.*s", (int)length, at);
        weft_coroutine_yield_inline(self, word, NULL);
        at += length + strspn(at + length, " ");
    }
    return NULL;
}

/* Yields lines of at most 24 characters of the words that the coroutine in user yields, then null. */
static void* lines(weft_coroutine* self, void* value) {
    static char ready[64];
    char line[64] = "";
    (void)value;
    for (void* word = NULL; weft_coroutine_resume_inline(self->user, NULL, &word) == 0 && word != NULL;) {
        if (strlen(line) + 1 + strlen(word) > 24) {
            strcpy(ready, line);
            line[0] = '\0';
            weft_coroutine_yield_inline(self, ready, NULL);
        }
        if (line[0] != '\0') strcat(line, " ");
        strcat(line, word);
    }
    strcpy(ready, line);
    weft_coroutine_yield_inline(self, ready, NULL);
    return NULL;
}

static int failed(const char* what, int error) {
    fprintf(stderr, "%s: %s\n", what, weft_error_name(error));
    return 1;
}

int main(void) {
    weft_coroutine word_maker;
    weft_coroutine line_maker;
    int error = weft_coroutine_create(&word_maker, 64 * 1024, words, NULL, 0);
    if (error != 0) return failed("words", error);
    error = weft_coroutine_create(&line_maker, 64 * 1024, lines, &word_maker, 0);
    if (error != 0) return failed("lines", error);

    void* line = NULL;
    while ((error = weft_coroutine_resume_inline(&line_maker, NULL, &line)) == 0 && line != NULL) puts(line);
    if (error != 0) return failed("resume", error);

    weft_coroutine_destroy(&line_maker);
    weft_coroutine_destroy(&word_maker);
    return 0;
}
