#include "domain/keyring.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/segment.h"

/* The digits of a hash as the numbers of a cell. */
static void read_hash(const char *hex, uint64_t words[KEYRING_WORDS])
{
	for (size_t i = 0; i < KEYRING_WORDS; i++) {
		unsigned long long word = 0;
		sscanf(hex + 16 * i, "%16llx", &word);
		words[i] = word;
	}
}

static void write_cell(struct keyring_cell *cell, const struct db_rows *rows, int row)
{
	uint64_t words[KEYRING_WORDS] = { 0 };
	const char *hex = row < db_rows_count(rows) ? db_text(rows, row, 1) : "";
	bool known = strlen(hex) == 16 * KEYRING_WORDS;
	if (known)
		read_hash(hex, words);
	for (size_t i = 0; i < KEYRING_WORDS; i++)
		atomic_store(&cell->hash[i], words[i]);
	atomic_store(&cell->owner, known ? db_number(rows, row, 2) : 0);
	atomic_store(&cell->expires_at, known ? db_number(rows, row, 3) : 0);
	atomic_store(&cell->id, known ? db_number(rows, row, 0) : 0);
}

bool keyring_refresh(struct db *db)
{
	struct db_rows *rows;
	enum db_result result = db_query(db, STATEMENT_apikeys_of_operations, NULL, 0, &rows);
	if (result != DB_OK && result != DB_NOT_FOUND)
		return false;
	for (int i = 0; i < KEYRING_CELLS; i++)
		write_cell(&segment_get()->keyring[i], rows, i);
	db_rows_free(rows);
	return true;
}

/* Of a cell that is just written a part may be another key's: then it is nobody's. */
static bool is_of(struct keyring_cell *cell, int64_t id, const uint64_t words[KEYRING_WORDS])
{
	uint64_t differs = (uint64_t)(atomic_load(&cell->id) ^ id);
	for (size_t i = 0; i < KEYRING_WORDS; i++)
		differs |= atomic_load(&cell->hash[i]) ^ words[i];
	int64_t expires_at = atomic_load(&cell->expires_at);
	return differs == 0 && (expires_at == 0 || expires_at > clock_wall_ms());
}

static bool find(int64_t id, const uint64_t words[KEYRING_WORDS], struct apikey *key)
{
	for (size_t i = 0; i < KEYRING_CELLS; i++) {
		struct keyring_cell *cell = &segment_get()->keyring[i];
		if (!is_of(cell, id, words))
			continue;
		*key = (struct apikey){
			.id = id, .owner = atomic_load(&cell->owner), .scopes = SCOPE_OPS_READ
		};
		return true;
	}
	return false;
}

enum apikey_result keyring_check(const char *token, struct apikey *key)
{
	char hash[APIKEY_HASH];
	uint64_t words[KEYRING_WORDS];
	int64_t id;
	if (!apikey_read(token, &id, hash))
		return APIKEY_REFUSED;
	read_hash(hash, words);
	/* Keys move from cell to cell when there is a new one: who was missed is there at a second look. */
	return find(id, words, key) || find(id, words, key) ? APIKEY_OK : APIKEY_REFUSED;
}
