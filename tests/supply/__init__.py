"""What the product is made of: packages, jars, licences."""
