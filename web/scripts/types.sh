#!/bin/sh
# Write the types of what the services answer, from the documents in which they describe it: src/app/api/generated.
# With --check nothing is written: it fails, and shows the difference, when they are not as they would be written now.
# Needs the packages of web/ (npm ci) and a Python that has those of the project: PYTHON, otherwise python3. A copy of
# web/ elsewhere says in PROJECT where the project is.
set -eu

web=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
PATH=$web/node_modules/.bin:$PATH
generated=$web/src/app/api/generated
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT

(cd "${PROJECT:-$web/..}" && "${PYTHON:-python3}" -m tests.support.api_documents "$made")
cd "$web"
for document in "$made"/*.json; do
    name=$(basename "$document" .json)
    openapi-typescript "$document" --output "$made/$name.raw.ts" \
        --immutable --default-non-nullable=false --root-types --root-types-no-schema-prefix >"$made/log" || {
        cat "$made/log" >&2
        exit 1
    }
    prettier --stdin-filepath "$generated/$name.ts" <"$made/$name.raw.ts" >"$made/$name.ts"
    rm "$made/$name.raw.ts"
done
rm -f "$made"/*.json "$made/log"

if [ "${1-}" = --check ]; then
    diff -ru "$generated" "$made" || {
        echo "The types in $generated are not those of the services: run web/scripts/types.sh" >&2
        exit 1
    }
else
    rm -rf "$generated"
    mkdir -p "$generated"
    cp "$made"/*.ts "$generated"
fi
