# Searches that are refused before any registry is asked.
for args in '--limit 101 x' '--limit a x' '--filter stars=a x' '--filter is-official=a x' '--filter is-automated=a x' '--filter foo=a x' '--filter foo x' 'https://registry.test/x' '' 'a b'; do
  $DOCKER search $args 2>&1; done
