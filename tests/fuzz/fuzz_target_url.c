/* Whatever is pasted: refused in words, or one canonical form that is safe in a Location. */
#include "domain/target_url.h"

#include "base/text.h"
#include "fuzz/fuzz.h"

static bool is_safe(const char *url)
{
	for (; *url != '\0'; url++) {
		if (*url <= 0x20 || *url > 0x7e || strchr("\"<>\\", *url) != NULL)
			return false;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char canonical[TARGET_URL_MAX + 1], again[TARGET_URL_MAX + 1];
	char *url = fuzz_text(&data, &size);
	FUZZ_CHECK(target_url_init("https://short.example", "", url[0] == ' ') == NULL);
	if (target_url_read(url, canonical) != NULL) {
		FUZZ_CHECK(canonical[0] == '\0');
	} else {
		FUZZ_CHECK(text_starts_with(canonical, "http://") ||
			   text_starts_with(canonical, "https://"));
		FUZZ_CHECK(strlen(canonical) <= TARGET_URL_MAX && is_safe(canonical));
		FUZZ_CHECK(target_url_read(canonical, again) == NULL);
		FUZZ_CHECK(strcmp(canonical, again) == 0);
	}
	free(url);
	return 0;
}
