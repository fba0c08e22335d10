# What the cases' `setup` and `run` lines may use. They run in the project, with $OUTSIDE beside it and $NETLOOM the binary.

netloom() { "$NETLOOM" "$@"; }

# nobody COMMAND…: runs netloom as somebody who owns nothing.
nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$NETLOOM" "$@"; }

# secret PATH…: what was harmless in these files is to be seen nowhere from now on.
secret() { find "$@" -type f -exec sed -i "s/harmless/$SECRET/g" {} +; }

# lead PLACE TARGET [WAY]: makes PLACE a link to TARGET: `relative`, `absolute`, over a second link (`twice`), or through a link to the
# target's folder (`door`).
lead() {
    rm -rf "${1:?}"
    case ${3:-relative} in
        relative) ln -sr "$2" "$1" ;;
        absolute) ln -s "$(realpath -ms "$2")" "$1" ;;
        twice) ln -sr "$2" "$1.step" && ln -s "$(basename "$1").step" "$1" ;;
        door) ln -sr "$(dirname "$2")" "$(dirname "$1")/door" && ln -s "door/$(basename "$2")" "$1" ;;
        *) return 1 ;;
    esac
}

# away PLACE TARGET [WAY]: moves what stands at PLACE to TARGET, as a secret, and leaves a link there.
away() {
    mkdir -p "$(dirname "$2")" && cp -rT "$1" "$2" && secret "$2" && lead "$@"
}

# commit [MESSAGE]: all that there is, as the branch's author would.
commit() { git add -A && git commit -q -m "${1:-A change}"; }

# forge FOLDER FILE…: these files, with the text of a README that was rendered, and a record that says netloom wrote them there.
forge() {
    local folder=$1 file hash entries=()
    hash=$(git show HEAD:rendered/clusters/one/.netloom.json | sed -n 's/.*"README.md": "\(.*\)".*/\1/p')
    mkdir -p "$folder"
    for file in "${@:2}"; do
        [ -e "$folder/$file" ] || { mkdir -p "$(dirname "$folder/$file")" && git show HEAD:rendered/clusters/one/README.md >"$folder/$file"; }
        entries+=("    \"$file\": \"$hash\"")
    done
    (IFS=,; printf '{\n  "files": {\n%s\n  }\n}\n' "${entries[*]}") >"$folder/.netloom.json"
}
