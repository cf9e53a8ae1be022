# shellcheck shell=bash
# Fetches packages of any Debian suite without touching this machine's apt: lists, cache
# and status are private folders.  Uses $name, $suites, $CACHE, and $arch if it is not
# amd64.

apt_home=$CACHE/apt/$name
: "${arch:=amd64}"

our_apt()
{
	local tool=$1
	shift

	"$tool" -q \
		-o Dir::Etc::sourcelist="$apt_home/sources.list" \
		-o Dir::Etc::sourceparts="$apt_home/none" \
		-o Dir::Etc::preferences=none \
		-o Dir::Etc::preferencesparts="$apt_home/none" \
		-o Dir::State="$apt_home" \
		-o Dir::State::status="$apt_home/status" \
		-o Dir::Cache="$apt_home/cache" \
		-o APT::Sandbox::User=root \
		-o APT::Architecture="$arch" \
		-o APT::Architectures::="$arch" \
		-o APT::Architectures::=amd64 \
		"$@"
}

# mirror REGEX: print the mirror of this machine's sources for these suites
mirror()
{
	local uri
	# shellcheck disable=SC2016 # apt's own variables
	uri=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
		sed -nE "s/^($1) //p" | head -n 1)
	[ -n "$uri" ] || die "cannot find a Debian mirror: no suite $1 in this machine's apt sources"
	echo "$uri"
}

main_mirror() { mirror 'bookworm|trixie|forky|sid|stable|testing|unstable'; }

security_mirror() { mirror '[a-z]+-security'; }

# apt_update: point the private apt at $suites, and update it
apt_update()
{
	local suite uri
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg

	rm -rf "$apt_home"
	mkdir -p "$apt_home"/{none,lists/partial,cache/archives/partial}
	: >"$apt_home/status"

	for suite in $suites; do
		case $suite in
		*-security) uri=$(security_mirror) ;;
		*) uri=$(main_mirror) ;;
		esac
		echo "deb [signed-by=$keyring] $uri $suite main"
	done >"$apt_home/sources.list"

	our_apt apt-get update >/dev/null
}

# kernel_packages PACKAGE...: print them and their dependencies that make up a kernel
kernel_packages()
{
	local package dependency parts='linux-(image|binary|modules|base|headers|kbuild)-[0-9]'

	for package; do
		echo "$package"
		our_apt apt-cache depends --important "$package" |
			sed -nE -e '/-unsigned$/d' -e "s/^ [ |](Pre)?Depends: ($parts.*)/\2/p" |
			while read -r dependency; do
				kernel_packages "$dependency"
			done
	done
}

# download_unpack FOLDER PACKAGE...
download_unpack()
{
	local to=$1 downloads=$dir/downloads deb
	shift

	mkdir -p "$downloads" "$to"
	(cd "$downloads" && our_apt apt-get download "$@" >/dev/null)
	for deb in "$downloads"/*.deb; do
		dpkg-deb -x "$deb" "$to"
	done
	rm -r "$downloads"
}
