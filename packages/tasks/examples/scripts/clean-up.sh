echo "removed $(ls -- *.tmp | wc -l | tr -d ' ') files"
rm -f -- *.tmp
