#!/bin/sh
# Generate TypeScript types from the OpenAPI documents of the services into src/app/api/generated.
# With --check it writes nothing, and fails with the difference when the types are out of date.
# Needs the packages of web/ (npm ci) and a Python with those of the project: PYTHON, otherwise python3. For a copy of
# web/ elsewhere, PROJECT is the folder of the project.
set -eu

web=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
PATH=$web/node_modules/.bin:$PATH
generated=$web/src/app/api/generated
output=$(mktemp -d)
trap 'rm -rf "$output"' EXIT

(cd "${PROJECT:-$web/..}" && "${PYTHON:-python3}" -m tests.support.api_documents "$output")
cd "$web"
for document in "$output"/*.json; do
    name=$(basename "$document" .json)
    openapi-typescript "$document" --output "$output/$name.raw.ts" \
        --immutable --default-non-nullable=false --root-types --root-types-no-schema-prefix >"$output/log" || {
        cat "$output/log" >&2
        exit 1
    }
    prettier --stdin-filepath "$generated/$name.ts" <"$output/$name.raw.ts" >"$output/$name.ts"
    rm "$output/$name.raw.ts"
done
rm -f "$output"/*.json "$output/log"

if [ "${1-}" = --check ]; then
    diff -ru "$generated" "$output" || {
        echo "The types in $generated are out of date: run web/scripts/types.sh" >&2
        exit 1
    }
else
    rm -rf "$generated"
    mkdir -p "$generated"
    cp "$output"/*.ts "$generated"
fi
